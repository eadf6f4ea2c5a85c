import { backoffMs, type BackoffOptions } from '@glacis/runtime';

export interface RetryPolicy extends BackoffOptions {
  /** Attempts at an event, the first one included, before it becomes a dead letter. */
  attempts: number;
}

/** Ten attempts over about four minutes. */
export const defaultRetryPolicy: RetryPolicy = {
  initialMs: 500,
  factor: 2,
  maxMs: 60_000,
  jitter: 0.2,
  attempts: 10,
};

/** What becomes of an event after the failed attempt `attempt` (1-based). */
export function afterFailure(
  policy: RetryPolicy,
  attempt: number,
  now: Date,
): { state: 'parked' | 'dead'; nextAttemptAt: Date } {
  if (attempt >= policy.attempts) {
    return { state: 'dead', nextAttemptAt: now };
  }
  return { state: 'parked', nextAttemptAt: new Date(now.getTime() + backoffMs(policy, attempt)) };
}
