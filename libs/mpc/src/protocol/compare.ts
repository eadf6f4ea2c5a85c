import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { and } from './products.js';
import { not, xor, type Bits, type Plane } from './shares.js';

/** AND of all planes of each value, as a tree. */
export function* all(party: Party, values: readonly (readonly Plane[])[]): Protocol<Plane[]> {
  let rest = values.map((planes) => [...planes]);
  while (rest.some((planes) => planes.length > 1)) {
    const pairs = rest.map((planes) => Math.floor(planes.length / 2));
    const left = rest.flatMap((planes, v) => planes.slice(0, pairs[v]));
    const right = rest.flatMap((planes, v) => planes.slice(pairs[v], 2 * pairs[v]));
    const products = yield* and(party, left, right);
    let at = 0;
    rest = rest.map((planes, v) => [
      ...products.slice(at, (at += pairs[v])),
      ...planes.slice(2 * pairs[v]),
    ]);
  }
  return rest.map(([plane]) => plane);
}

/** Planes of ¬(x ⊕ y). */
const same = (party: Party, x: Bits, y: Bits): Plane[] =>
  x.planes.map((plane, j) => not(party, xor(plane, y.planes[j])));

/**
 * x = y for each pair (11.4, equality): ⌈log2 w⌉ rounds, (w - 1)/32 words; padding to a power of two is left out, since a plane
 * of ones changes no AND.
 */
export function* equal(party: Party, pairs: readonly (readonly [Bits, Bits])[]): Protocol<Plane[]> {
  return yield* all(
    party,
    pairs.map(([x, y]) => same(party, x, y)),
  );
}

interface Verdict {
  greater: Plane[];
  same: Plane[];
}

/** One level of the tree: pairs of neighbouring bits become one, the last level makes no `same`. */
function* level(party: Party, { greater, same }: Verdict): Protocol<Verdict> {
  const pairs = Math.floor(greater.length / 2);
  const high = Array.from({ length: pairs }, (_, k) => 2 * k + 1);
  const last = greater.length === 2;
  const upper = high.map((k) => same[k]);
  const lower = high.map((k) => greater[k - 1]);
  const both = last ? [] : high.map((k) => same[k - 1]);
  const products = yield* and(party, last ? upper : [...upper, ...upper], [...lower, ...both]);
  const odd = greater.length % 2 === 1;
  return {
    greater: [
      ...high.map((k, j) => xor(greater[k], products[j])),
      ...(odd ? [greater[greater.length - 1]] : []),
    ],
    same: [...products.slice(pairs), ...(odd ? [same[same.length - 1]] : [])],
  };
}

/**
 * x > y, unsigned (11.4): 1 + ⌈log2 w⌉ rounds, at most (3w - 3)/32 words. For signed values flip the top bits first
 * (`biased`); x ≥ y is ¬(y > x).
 */
export function* greater(party: Party, x: Bits, y: Bits): Protocol<Plane> {
  const inverted = y.planes.map((plane) => not(party, plane));
  let verdict: Verdict = {
    greater: yield* and(party, x.planes, inverted),
    same: same(party, x, y),
  };
  while (verdict.greater.length > 1) verdict = yield* level(party, verdict);
  return verdict.greater[0];
}

/** The same order as unsigned numbers: the top bit of a two's complement value flipped. */
export function biased(party: Party, { rows, planes }: Bits): Bits {
  const top = planes.length - 1;
  return { rows, planes: [...planes.slice(0, top), not(party, planes[top])] };
}
