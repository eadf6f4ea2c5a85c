/** The promise, or the signal's reason when that comes first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    void promise.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject);
  });
}
