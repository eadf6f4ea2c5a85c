/** Work took longer than it may. It goes on, but nobody waits for it any more. */
export class DeadlineError extends Error {
  readonly code = 'deadline_exceeded';

  constructor(limitMs: number) {
    super(`no result within ${limitMs} ms`);
  }
}

/** @throws {DeadlineError} when the work has not settled after `limitMs` */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(limitMs)), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
