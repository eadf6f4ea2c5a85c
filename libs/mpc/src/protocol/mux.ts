import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { and, multiply } from './products.js';
import { add, subtract, xor, type Bits, type Plane, type Shares } from './shares.js';
import { addWideShares, subtractWideShares } from './wide.js';
import { multiplyWide } from './wide-products.js';

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

/** s ? b : a in Z_2^32, where s is 0 or 1 in Z_2^32 (11.4, mux): 1 round, 1 word. */
export function* muxWords(party: Party, s: Shares, a: Shares, b: Shares): Protocol<Shares> {
  return add(a, yield* multiply(party, s, subtract(b, a)));
}

/** s ? b : a in Z_2^64, where s is 0 or 1 in Z_2^64: 1 round, 2 words. */
export function* muxWide(party: Party, s: Shares, a: Shares, b: Shares): Protocol<Shares> {
  return addWideShares(a, yield* multiplyWide(party, s, subtractWideShares(b, a)));
}
