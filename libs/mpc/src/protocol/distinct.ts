import { toArithmetic } from './arithmetic.js';
import { frame, type KeyColumn } from './groups.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import type { Plane } from './shares.js';
import type { Column } from './shuffle.js';

/**
 * 1 in the last row of each different value of its group, 0 elsewhere (11.5, COUNT DISTINCT): summed per group it is the count.
 * Rows are sorted by (V descending, keys, value).
 * @param keys the columns of the group, of which there may be none, and of the value.
 */
export function* distinct(
  party: Party,
  keys: readonly KeyColumn[],
  valid: Plane,
  rows: number,
): Protocol<Column> {
  const { last } = yield* frame(party, keys, valid, rows);
  const [shares] = yield* toArithmetic(party, [last], rows);
  return { form: 'arithmetic', shares };
}
