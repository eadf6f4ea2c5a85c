/**
 * Tells those who wait that something has happened. Who takes the count, looks, and then waits for what comes after that
 * count misses nothing that happened while it looked.
 */
export class Bell {
  private rings = 0;
  private readonly waiting = new Set<() => void>();

  /** How often it has rung. */
  get count(): number {
    return this.rings;
  }

  ring(): void {
    this.rings += 1;
    for (const wake of this.waiting) wake();
  }

  /** Resolves when it has rung more than `count` times, after `ms`, or at the signal. */
  async after(count: number, ms: number, signal: AbortSignal): Promise<void> {
    if (this.rings > count || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms).unref();
      signal.addEventListener('abort', wake);
      this.waiting.add(wake);
    });
  }
}
