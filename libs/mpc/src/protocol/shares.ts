import { ProtocolError, type Party, type PartyId } from './party.js';

/**
 * What party i holds of some words (jobs.md 11.4, replicated sharing of Araki et al., CCS 2016): slots i and i + 1 of
 * x = x0 + x1 + x2 (mod 2^32), or of x = x0 ⊕ x1 ⊕ x2. Which of the two it is, the step that takes them says.
 */
export interface Shares {
  /** Slot i. */
  readonly own: Int32Array;
  /** Slot i + 1, which the next party has as its own. */
  readonly next: Int32Array;
}

/** A column of bits, one per row, 32 rows in a word, XOR shared; rows beyond the last are of no meaning. */
export type Plane = Shares;

/** Values of `planes.length` bits, the lowest first: bit planes, so that only live bits are computed with and sent. */
export interface Bits {
  rows: number;
  planes: readonly Plane[];
}

/** Values in Z_2^64: low and high words of each slot. */
export interface Wide {
  low: Shares;
  high: Shares;
}

/** Words that hold one bit of each row. */
export const planeWords = (rows: number): number => (rows + 31) >>> 5;

export const zeros = (length: number): Shares => ({
  own: new Int32Array(length),
  next: new Int32Array(length),
});

/** Which of the arrays of this party holds a slot: trivial sharings and public values stand in one slot alone. */
export function slotOf(party: Party, slot: PartyId): 'own' | 'next' | undefined {
  if (party.id === slot) return 'own';
  return (party.id + 1) % 3 === slot ? 'next' : undefined;
}

/** A value that only slot `slot` makes up; its holders give the words. */
export function trivial(
  party: Party,
  slot: PartyId,
  words: Int32Array | undefined,
  length: number,
): Shares {
  const place = slotOf(party, slot);
  return place && words ? { ...zeros(length), [place]: words } : zeros(length);
}

const map = (x: Shares, of: (words: Int32Array) => Int32Array): Shares => ({
  own: of(x.own),
  next: of(x.next),
});

const zip = (x: Shares, y: Shares, of: (a: Int32Array, b: Int32Array) => Int32Array): Shares => ({
  own: of(x.own, y.own),
  next: of(x.next, y.next),
});

export function xorWords(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length);
  for (let i = 0; i < out.length; i += 1) out[i] = a[i] ^ b[i];
  return out;
}

export function addWords(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length);
  for (let i = 0; i < out.length; i += 1) out[i] = (a[i] + b[i]) | 0;
  return out;
}

export function subtractWords(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length);
  for (let i = 0; i < out.length; i += 1) out[i] = (a[i] - b[i]) | 0;
  return out;
}

/** Adds `b` to `a`, which is the caller's alone. */
export function addInto(a: Int32Array, b: Int32Array): void {
  for (let i = 0; i < a.length; i += 1) a[i] = (a[i] + b[i]) | 0;
}

/** Takes `b` from `a`, which is the caller's alone. */
export function subtractInto(a: Int32Array, b: Int32Array): void {
  for (let i = 0; i < a.length; i += 1) a[i] = (a[i] - b[i]) | 0;
}

export const xor = (x: Shares, y: Shares): Shares => zip(x, y, xorWords);
export const add = (x: Shares, y: Shares): Shares => zip(x, y, addWords);
export const subtract = (x: Shares, y: Shares): Shares => zip(x, y, subtractWords);

/** c·x for a public c. */
export const scale = (x: Shares, factor: number): Shares =>
  map(x, (words) => {
    const out = new Int32Array(words.length);
    for (let i = 0; i < out.length; i += 1) out[i] = Math.imul(words[i], factor);
    return out;
  });

/** x + c or x ⊕ c for a public c changes slot 0 only, which parties 0 and 2 hold. */
function inSlot0(party: Party, x: Shares, of: (words: Int32Array) => Int32Array): Shares {
  const place = slotOf(party, 0);
  return place ? { ...x, [place]: of(x[place]) } : x;
}

export const addConstant = (party: Party, x: Shares, c: number): Shares =>
  inSlot0(party, x, (words) => {
    const out = new Int32Array(words.length);
    for (let i = 0; i < out.length; i += 1) out[i] = words[i] + c;
    return out;
  });

/** NOT of every bit of the words. */
export const not = (party: Party, x: Shares): Shares =>
  inSlot0(party, x, (words) => {
    const out = new Int32Array(words.length);
    for (let i = 0; i < out.length; i += 1) out[i] = ~words[i];
    return out;
  });

/** A public bit for every row. */
export function publicPlane(party: Party, rows: number, bit: boolean): Plane {
  const length = planeWords(rows);
  return trivial(party, 0, bit ? new Int32Array(length).fill(-1) : undefined, length);
}

/** Cuts long shares into pieces of these lengths. */
export function split(x: Shares, lengths: readonly number[]): Shares[] {
  let at = 0;
  return lengths.map((length) => {
    const from = at;
    at += length;
    return { own: x.own.subarray(from, at), next: x.next.subarray(from, at) };
  });
}

export function joinWords(parts: readonly Int32Array[]): Int32Array {
  if (parts.length === 1) return parts[0];
  const out = new Int32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const join = (parts: readonly Shares[]): Shares => ({
  own: joinWords(parts.map(({ own }) => own)),
  next: joinWords(parts.map(({ next }) => next)),
});

/** @throws ProtocolError where a word has bits above its width: every step masks, so none ever should. */
export function checkWidth({ own, next }: Shares, width: number): void {
  if (width >= 32) return;
  let above = 0;
  for (let i = 0; i < own.length; i += 1) above |= own[i] | next[i];
  if (above >>> width !== 0)
    throw new ProtocolError('protocol_width', 'a boolean word has bits above its width');
}
