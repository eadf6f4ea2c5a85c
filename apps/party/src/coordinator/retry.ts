import { setTimeout as sleep } from 'node:timers/promises';
import type { FailureClass } from '@glacis/contracts';
import { backoffMs } from '@glacis/runtime';
import { StatusError } from './send.js';

/** Of a transfer (jobs.md 10.2). */
export const TRIES = 5;

const backoff = { initialMs: 200, factor: 2, maxMs: 10_000, jitter: 0.5 };

/** Whether trying again can help: not where the coordinator has said no. */
export const mayPass = (error: unknown): boolean =>
  !(error instanceof StatusError) || error.transient;

/** Why a step failed, where nothing tells it but the error of a call: connections come back, a refusal stays. */
export function classOf(error: unknown): FailureClass {
  if (error instanceof StatusError) return error.transient ? 'transient' : 'infra';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // As ECONNRESET; codes of Node itself have underscores.
  return /^E[A-Z]+$/.test(code) ? 'transient' : 'engine';
}

export interface Trying {
  tries: number;
  /** Whether an error is worth another try; by default those of which {@link mayPass} says so. */
  passes?: (error: unknown) => boolean;
  /** No further try after it. */
  signal?: AbortSignal;
}

/** @throws the last error */
export async function untilAnswered<T>(
  call: () => Promise<T>,
  { tries, passes = mayPass, signal }: Trying,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= tries || !passes(error)) throw error;
      await sleep(backoffMs(backoff, attempt), undefined, { signal });
    }
  }
}
