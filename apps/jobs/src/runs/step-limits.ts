import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted } from './step-failure.js';

export interface StepLimits {
  timeoutMs: number;
  /** Milliseconds to the deadline of the job. */
  deadlineMs: number;
  /** False: the job has gone on without us, as by a cancel. Asked again and again. */
  holds: () => Promise<boolean>;
  /** Told to look at once. Returns what ends it. */
  follow: (hear: () => void) => () => void;
  /** Fires when the lease is lost, or the service stops. */
  lease: AbortSignal;
}

/** Milliseconds between two looks at the state, as another replica may change it. */
const lookMs = 1_000;

/** Does the work of a step within its limits; whichever it meets first is its reason for `signal`. */
export async function withinLimits<T>(
  limits: StepLimits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { timeoutMs, deadlineMs } = limits;
  const control = new AbortController();
  const end = (reason: Interrupted['reason']): void => control.abort(new Interrupted(reason));
  const isDeadline = deadlineMs < timeoutMs;
  const timer = setTimeout(
    () => end(isDeadline ? 'deadline' : 'step'),
    Math.max(0, Math.min(timeoutMs, deadlineMs)),
  );
  const leave = (): void => end('lease');
  limits.lease.addEventListener('abort', leave);
  const watch = watchState(limits, control.signal, () => end('state'));
  try {
    if (limits.lease.aborted) leave();
    return await work(control.signal);
  } finally {
    clearTimeout(timer);
    limits.lease.removeEventListener('abort', leave);
    control.abort();
    await watch;
  }
}

async function watchState(
  { holds, follow }: StepLimits,
  signal: AbortSignal,
  changed: () => void,
): Promise<void> {
  let heard = new AbortController();
  const unfollow = follow(() => heard.abort());
  try {
    while (!signal.aborted) {
      const either = AbortSignal.any([signal, heard.signal]);
      await sleep(lookMs, undefined, { signal: either }).catch(() => undefined);
      heard = new AbortController();
      if (signal.aborted) return;
      // A database that is away for a moment is no change.
      if (!(await holds().catch(() => true))) changed();
    }
  } finally {
    unfollow();
  }
}
