import { biased, greater } from './compare.js';
import { together, type Protocol } from './link.js';
import { choose } from './mux.js';
import type { Party } from './party.js';
import { delay } from './planes.js';
import { and } from './products.js';
import { xor, type Bits, type Plane } from './shares.js';

/*
 * Runs of equal keys in sorted rows: plane g says of each row whether it belongs to the run of the row before it (11.5).
 * g_d, which doubles from level to level, says whether the row d rows before is in the run as well.
 */

/**
 * OR of the bits of each run up to each row (11.4, run OR): 2·⌈log2 n⌉ rounds, 2 bits for each plane and level and 1 for g; the
 * last row of a run has that of all.
 */
export function* runOr(
  party: Party,
  g: Plane,
  bits: readonly Plane[],
  rows: number,
): Protocol<Plane[]> {
  let reach = g;
  let found = [...bits];
  for (let d = 1; d < rows; d *= 2) {
    const before = found.map((plane) => delay(plane, d));
    const [further, ...reached] = yield* and(
      party,
      [reach, ...bits.map(() => reach)],
      [delay(reach, d), ...before],
    );
    // x ∨ y = x ⊕ y ⊕ xy.
    const twice = yield* and(party, found, reached);
    found = found.map((plane, j) => xor(xor(plane, reached[j]), twice[j]));
    reach = further;
  }
  return found;
}

export interface Extreme {
  which: 'MIN' | 'MAX';
  signed: boolean;
}

/**
 * Least or greatest value of each run up to each row (11.5, MIN, MAX): 8 rounds and 4 words per level; the last row of a run has
 * that of all.
 */
export function* runExtreme(
  party: Party,
  g: Plane,
  values: Bits,
  { which, signed }: Extreme,
): Protocol<Bits> {
  const { rows } = values;
  let best = (signed ? biased(party, values) : values).planes;
  let reach = g;
  for (let d = 1; d < rows; d *= 2) {
    const before = best.map((plane) => delay(plane, d));
    const [left, right] = which === 'MAX' ? [before, best] : [best, before];
    const [better, [further]] = yield* together(
      greater(party, { rows, planes: left }, { rows, planes: right }),
      and(party, [reach], [delay(reach, d)]),
    );
    const [take] = yield* and(party, [reach], [better]);
    best = yield* choose(party, take, best, before);
    reach = further;
  }
  const found = { rows, planes: best };
  return signed ? biased(party, found) : found;
}
