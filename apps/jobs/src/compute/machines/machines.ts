import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError } from '../../storage/provider-error.js';
import type { Instance, NewInstance, Price } from '../compute-provider.js';

/** What machines of every cloud are asked for with. */
export interface MachineOptions {
  /** Told in the tags, as several installations may share an account. */
  installation: string;
  /** The kind of machine, in the words of its cloud. */
  type: string;
  /** Whether its memory is encrypted against the host (AMD SEV-SNP). */
  confidential: boolean;
  /**
   * As whom its party reads its bucket, in the words of its cloud: an instance profile (name or ARN), the e-mail address of a
   * service account, the resource id of a managed identity. Absent: the machine is nobody there.
   */
  identity?: string;
  /** Null: not counted. */
  price: Price | null;
  /** Milliseconds between two looks at something that takes its time. Default 2,000. */
  everyMs?: number;
}

/**
 * Of what was found of a job, the instance of this very run.
 * @throws {ProviderError} `exists` while another of the same party and attempt lives
 */
export function ownOf(
  { tags, runId }: NewInstance,
  found: readonly Instance[],
): Instance | undefined {
  const same = found.filter(
    ({ tags: other, state }) =>
      state !== 'gone' && other.party === tags.party && other.attempt === tags.attempt,
  );
  if (same.some((each) => each.runId !== runId))
    throw new ProviderError('exists', 'another machine of this party is there');
  return same[0];
}

/** Looks until something comes back; the first time at once. */
export async function lookUntil<T>(
  look: () => Promise<T | undefined>,
  { everyMs = 2_000 }: MachineOptions,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(everyMs, undefined, { signal });
  }
}
