import type { Protocol } from './link.js';
import type { Party } from './party.js';
import type { Column } from './shuffle.js';
import { sort, type DigitBits, type KeyBit } from './sort.js';

/**
 * As `sort`, for wide tables (11.5): only the columns of the key are sorted, beside the row number; the others move once.
 */
export function* sortWide(
  party: Party,
  columns: readonly Column[],
  key: readonly KeyBit[],
  digit: DigitBits = 2,
): Protocol<Column[]> {
  return yield* sort(party, columns, key, digit);
}
