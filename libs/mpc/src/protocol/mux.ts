import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { and } from './products.js';
import { xor, type Bits, type Plane } from './shares.js';

/** m ? b : a for each plane, the bit m for all of them (11.4, mux): 1 round, 1 word per 32 planes. */
export function* choose(
  party: Party,
  m: Plane,
  a: readonly Plane[],
  b: readonly Plane[],
): Protocol<Plane[]> {
  const differs = a.map((plane, j) => xor(plane, b[j]));
  const chosen = yield* and(
    party,
    differs,
    differs.map(() => m),
  );
  return a.map((plane, j) => xor(plane, chosen[j]));
}

/** m ? b : a for values of one width. */
export function* muxBits(party: Party, m: Plane, a: Bits, b: Bits): Protocol<Bits> {
  return { rows: a.rows, planes: yield* choose(party, m, a.planes, b.planes) };
}
