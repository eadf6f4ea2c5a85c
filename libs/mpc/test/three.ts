import { hkdfSync } from 'node:crypto';
import type { Protocol, Received, Round } from '../src/protocol/link.js';
import { keyStreams, Party, type PartyId } from '../src/protocol/party.js';
import { lanes, planeOf } from '../src/protocol/planes.js';
import {
  addWords,
  subtractWords,
  xorWords,
  type Bits,
  type Plane,
  type Shares,
} from '../src/protocol/shares.js';
import { addWide, subtractWide, wideOfPlanes, widePlanes } from '../src/protocol/wide.js';

export type Three<T> = [T, T, T];

/** Numbers that follow from a seed (Mulberry32). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) | 0;
  };
}

export const words = (length: number, next: () => number): Int32Array =>
  Int32Array.from({ length }, next);

/** Three parties whose keys follow from a seed. */
export function parties(seed: number): Three<Party> {
  const key = (i: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', 'test', String(seed), `key ${i % 3}`, 32));
  const party = (id: PartyId): Party =>
    new Party(id, keyStreams({ next: key(id), previous: key(id + 2) }));
  return [party(0), party(1), party(2)];
}

const FORMS = {
  boolean: { minus: xorWords, plus: xorWords },
  arithmetic: { minus: subtractWords, plus: addWords },
  wide: { minus: subtractWide, plus: addWide },
};

/** Splits words into three slots, two of them at each party. */
export function share(
  form: keyof typeof FORMS,
  value: Int32Array,
  next: () => number,
): Three<Shares> {
  const { minus } = FORMS[form];
  const s1 = words(value.length, next);
  const s2 = words(value.length, next);
  const slots = [minus(minus(value, s1), s2), s1, s2];
  return [0, 1, 2].map((i) => ({
    own: slots[i],
    next: slots[(i + 1) % 3].slice(),
  })) as Three<Shares>;
}

/** Opens shares, and sees that both copies of each slot agree. */
export function reveal(form: keyof typeof FORMS, shares: readonly Shares[]): Int32Array {
  const { plus } = FORMS[form];
  for (const i of [0, 1, 2]) {
    const copy = shares[i].next;
    if (copy.some((word, k) => word !== shares[(i + 1) % 3].own[k]))
      throw new Error(`slot ${i + 1} differs`);
  }
  return plus(plus(shares[0].own, shares[1].own), shares[2].own);
}

/** The lowest bit of each word as a plane. */
export const planeAt = ({ own, next }: Shares): Plane => ({
  own: planeOf(own, 0),
  next: planeOf(next, 0),
});

/** Bits of rows, shared as a plane. */
export const shareBits = (bits: readonly number[], next: () => number): Three<Plane> =>
  share('boolean', Int32Array.from(bits), next).map(planeAt) as Three<Plane>;

/** Opens a plane: a bit for each row. */
export const revealBits = (planes: readonly Plane[], rows: number): number[] => [
  ...lanes(reveal('boolean', planes), rows),
];

/** Values as 64-bit words, low words before high ones. */
export const wideWords = (values: readonly bigint[]): Int32Array =>
  Int32Array.from([
    ...values.map((value) => Number(BigInt.asIntN(32, value))),
    ...values.map((value) => Number(BigInt.asIntN(32, value >> 32n))),
  ]);

/** 64-bit words as signed values. */
export const bigOf = (wide: Int32Array): bigint[] => {
  const half = wide.length / 2;
  return Array.from(
    { length: half },
    (_, i) => (BigInt(wide[half + i]) << 32n) | BigInt(wide[i] >>> 0),
  );
};

/** XOR shared 64-bit words, low words before high ones, as bit planes. */
export function wideToBits({ own, next }: Shares, width = 64): Bits {
  const others = widePlanes(next, width);
  const planes = widePlanes(own, width).map((plane, j) => ({ own: plane, next: others[j] }));
  return { rows: own.length / 2, planes };
}

/** Bit planes as XOR shared 64-bit words. */
export const bitsToWide = ({ rows, planes }: Bits): Shares => ({
  own: wideOfPlanes(
    planes.map(({ own }) => own),
    rows,
  ),
  next: wideOfPlanes(
    planes.map(({ next }) => next),
    rows,
  ),
});

/** A number of up to 64 bits, signed; small ones and the ends of the range are frequent. */
export function anyBig(next: () => number): bigint {
  const word = (): bigint => BigInt(next() >>> 0);
  const kind = (next() >>> 0) % 5;
  if (kind === 0) return [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n][(next() >>> 0) % 6];
  if (kind === 1) return BigInt(next()) >> 24n;
  return BigInt.asIntN(64, (word() << 32n) | word()) >> (kind === 2 ? 20n : 0n);
}

export interface Outcome<T> {
  results: Three<T>;
  rounds: number;
  /** Words that the busiest party sent. */
  busiest: number;
  /** All that each party received, in order. */
  views: Three<number[]>;
}

const size = (parts: readonly Int32Array[]): number =>
  parts.reduce((sum, part) => sum + part.length, 0);
const flat = (parts: readonly Int32Array[]): Int32Array => {
  const out = new Int32Array(size(parts));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** Runs the three sides of a protocol in step, in this thread; a side that waits for what nobody sends is an error. */
export function simulate<T>(
  sides: Three<Party>,
  side: (party: Party, index: number) => Protocol<T>,
  { keepViews = false } = {},
): Outcome<T> {
  const protocols = sides.map((party, index) => side(party, index));
  let states = protocols.map((protocol) => protocol.next());
  const sent = [0, 0, 0];
  const views: Three<number[]> = [[], [], []];
  let rounds = 0;
  while (states.some(({ done }) => !done)) {
    if (states.some(({ done }) => done)) throw new Error('a side has ended before the others');
    rounds += 1;
    const said = states.map(({ value }) => value as Round);
    states = said.map((round, i) => {
      sent[i] += size(round.toNext) + size(round.toPrevious);
      const received: Received = {
        next: flat(said[(i + 1) % 3].toPrevious),
        previous: flat(said[(i + 2) % 3].toNext),
      };
      if (
        received.next.length !== round.fromNext ||
        received.previous.length !== round.fromPrevious
      )
        throw new Error('a side was told more or less than it waits for');
      if (keepViews) views[i].push(...received.next, ...received.previous);
      return protocols[i].next(received);
    });
  }
  const results = states.map(({ value }) => value as T) as Three<T>;
  return { results, rounds, busiest: Math.max(...sent), views };
}
