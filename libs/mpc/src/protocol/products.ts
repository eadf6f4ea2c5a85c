import { exchange, type Protocol } from './link.js';
import type { Party } from './party.js';
import { split, type Shares } from './shares.js';

/** Sends slot i of a result to the previous party and takes slot i + 1 from the next one: replicated again. */
export function* reshare(own: Int32Array): Protocol<Shares> {
  const { next } = yield* exchange({ toPrevious: [own], fromNext: own.length });
  return { own, next };
}

/** Two key streams of which the XOR, or the difference, over all parties is zero (11.4, zero share). */
export function zeroStreams(party: Party, length: number): [Int32Array, Int32Array] {
  const step = party.step();
  return [
    party.stream('next', step, 'zero').words(length),
    party.stream('previous', step, 'zero').words(length),
  ];
}

/** What a party computes of x ∧ y, on top of the zero share f ⊕ g. */
function andInto(f: Int32Array, g: Int32Array, x: Shares, y: Shares): void {
  for (let i = 0; i < f.length; i += 1)
    f[i] ^= g[i] ^ (x.own[i] & (y.own[i] ^ y.next[i])) ^ (x.next[i] & y.own[i]);
}

/** AND of words, bit by bit (11.4; Araki et al., CCS 2016): 1 round, 1 word. */
export function* andWords(party: Party, x: Shares, y: Shares): Protocol<Shares> {
  const [f, g] = zeroStreams(party, x.own.length);
  andInto(f, g, x, y);
  return yield* reshare(f);
}

/** AND of pairs of planes, or of other words, all in one message. */
export function* and(
  party: Party,
  xs: readonly Shares[],
  ys: readonly Shares[],
): Protocol<Shares[]> {
  const lengths = xs.map(({ own }) => own.length);
  const [f, g] = zeroStreams(
    party,
    lengths.reduce((sum, length) => sum + length, 0),
  );
  let at = 0;
  lengths.forEach((length, k) => {
    const end = at + length;
    andInto(f.subarray(at, end), g.subarray(at, end), xs[k], ys[k]);
    at = end;
  });
  return split(yield* reshare(f), lengths);
}

/** What a party computes of x·y, on top of the zero share f - g. */
function multiplyInto(f: Int32Array, g: Int32Array, x: Shares, y: Shares): void {
  for (let i = 0; i < f.length; i += 1) {
    const both = Math.imul(x.own[i], (y.own[i] + y.next[i]) | 0);
    f[i] = (f[i] - g[i] + both + Math.imul(x.next[i], y.own[i])) | 0;
  }
}

/** Products in Z_2^32 (11.4): 1 round, 1 word. */
export function* multiply(party: Party, x: Shares, y: Shares): Protocol<Shares> {
  const [f, g] = zeroStreams(party, x.own.length);
  multiplyInto(f, g, x, y);
  return yield* reshare(f);
}
