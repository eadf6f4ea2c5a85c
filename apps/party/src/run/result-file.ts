import type { ResultShares } from '@glacis/mpc';
import { writeCsv } from '@glacis/shares';

/** The result as this party has it (jobs.md 7.3): slot i in `_0`, slot i + 1 in `_1`. */
export function resultFile({ rows, columns }: ResultShares): Uint8Array {
  const words = columns.flatMap(({ header, words: { own, next } }) => [
    [`${header}_0`, own] as const,
    [`${header}_1`, next] as const,
  ]);
  return writeCsv({ rows, columns: new Map(words) });
}
