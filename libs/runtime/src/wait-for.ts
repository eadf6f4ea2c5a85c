import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitForOptions {
  /** Milliseconds after which it gives up. Default 30,000. */
  deadlineMs?: number;
  /** Milliseconds between two probes. Default 20. */
  everyMs?: number;
  /** What is waited for, named in the error. */
  what?: string;
}

/**
 * Probes until something other than `undefined` or `false` comes back, and gives that. A throwing probe counts as
 * "not yet"; its error is the cause when the deadline passes.
 * @throws {Error} at the deadline, naming `what`
 */
export async function waitFor<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitForOptions = {},
): Promise<T> {
  const { deadlineMs = 30_000, everyMs = 20, what = 'the condition' } = options;
  const end = performance.now() + deadlineMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) {
      throw new Error(`waited ${deadlineMs} ms for ${what}`, { cause });
    }
    await sleep(everyMs);
  }
}
