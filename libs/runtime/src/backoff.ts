export interface BackoffOptions {
  /** Milliseconds before the second attempt. */
  initialMs: number;
  /** What each further delay is multiplied by; at least 1. */
  factor: number;
  /** Bound of a delay in milliseconds, before jitter. */
  maxMs: number;
  /** Share of the delay that chance may take away: 0 none, 1 all of it. */
  jitter: number;
}

/**
 * Milliseconds to wait after the failed attempt `attempt` (1-based). Jitter only shortens, so `maxMs` holds.
 * @param random gives 0 (inclusive) to 1 (exclusive)
 */
export function backoffMs(
  options: BackoffOptions,
  attempt: number,
  random: () => number = Math.random,
): number {
  const full = Math.min(options.maxMs, options.initialMs * options.factor ** (attempt - 1));
  return Math.round(full * (1 - options.jitter * random()));
}
