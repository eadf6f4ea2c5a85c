import { planeWords, type Bits, type Plane, type Shares } from './shares.js';

/**
 * Transposes 32 words of 32 bits in place: bit j of word i becomes bit i of word j (Warren, Hacker's Delight 7-3, mirrored so
 * that both count from the lowest bit).
 */
function transpose(block: Int32Array): void {
  for (let size = 16, mask = 0x0000ffff; size > 0; size >>>= 1, mask ^= mask << size) {
    for (let k = 0; k < 32; k = (k + size + 1) & ~size) {
      const swap = ((block[k] >>> size) ^ block[k + size]) & mask;
      block[k] ^= swap << size;
      block[k + size] ^= swap;
    }
  }
}

/** Planes that are read one by one in less time than a transposition takes. */
const FEW_PLANES = 3;

/** The lowest `width` bits of each word as planes; lanes beyond the last row are zero. */
export function planesOfWords(words: Int32Array, width: number): Int32Array[] {
  if (width <= FEW_PLANES) return Array.from({ length: width }, (_, bit) => planeOf(words, bit));
  const length = planeWords(words.length);
  const planes = Array.from({ length: width }, () => new Int32Array(length));
  const block = new Int32Array(32);
  for (let at = 0; at < length; at += 1) {
    const left = words.length - 32 * at;
    for (let i = 0; i < 32; i += 1) block[i] = i < left ? words[32 * at + i] : 0;
    transpose(block);
    for (let j = 0; j < width; j += 1) planes[j][at] = block[j];
  }
  return planes;
}

/** The words of which these are the planes; bits above the last plane are zero. */
export function wordsOfPlanes(planes: readonly Int32Array[], rows: number): Int32Array {
  const words = new Int32Array(rows);
  const block = new Int32Array(32);
  for (let at = 0; 32 * at < rows; at += 1) {
    block.fill(0);
    for (let j = 0; j < planes.length; j += 1) block[j] = planes[j][at];
    transpose(block);
    const count = Math.min(32, rows - 32 * at);
    for (let i = 0; i < count; i += 1) words[32 * at + i] = block[i];
  }
  return words;
}

/** XOR shared words as bit planes: local, slot by slot. */
export function toBits(words: Shares, width: number): Bits {
  const own = planesOfWords(words.own, width);
  const next = planesOfWords(words.next, width);
  return {
    rows: words.own.length,
    planes: own.map((plane, j) => ({ own: plane, next: next[j] })),
  };
}

/** Bit planes as XOR shared words. */
export function toWords({ rows, planes }: Bits): Shares {
  return {
    own: wordsOfPlanes(
      planes.map(({ own }) => own),
      rows,
    ),
    next: wordsOfPlanes(
      planes.map(({ next }) => next),
      rows,
    ),
  };
}

/** One bit of each word as a plane. */
export function planeOf(words: Int32Array, bit: number): Int32Array {
  const plane = new Int32Array(planeWords(words.length));
  for (let i = 0; i < words.length; i += 1) plane[i >>> 5] |= ((words[i] >>> bit) & 1) << (i & 31);
  return plane;
}

/** Writes the bits of a plane as one word per row, 0 or 1. */
export function lanesInto(words: Int32Array, plane: Int32Array): void {
  for (let i = 0; i < words.length; i += 1) words[i] = (plane[i >>> 5] >>> (i & 31)) & 1;
}

/** The bits of a plane as one word per row, 0 or 1. */
export function lanes(plane: Int32Array, rows: number): Int32Array {
  const words = new Int32Array(rows);
  lanesInto(words, plane);
  return words;
}

function delayWords(words: Int32Array, by: number): Int32Array {
  const out = new Int32Array(words.length);
  const whole = by >>> 5;
  const part = by & 31;
  for (let i = whole; i < out.length; i += 1) {
    const low = words[i - whole] << part;
    out[i] = part > 0 && i > whole ? low | (words[i - whole - 1] >>> (32 - part)) : low;
  }
  return out;
}

/** The bit of the row `by` rows before; the first rows get 0. */
export const delay = (plane: Plane, by: number): Plane => ({
  own: delayWords(plane.own, by),
  next: delayWords(plane.next, by),
});

function advanceWords(words: Int32Array): Int32Array {
  const out = new Int32Array(words.length);
  for (let i = 0; i < out.length; i += 1) out[i] = (words[i] >>> 1) | ((words[i + 1] ?? 0) << 31);
  return out;
}

/** The bit of the next row; the last row gets that of the lane behind it, which is 0 in a plane of `delay` or `inRows`. */
export const advance = (plane: Plane): Plane => ({
  own: advanceWords(plane.own),
  next: advanceWords(plane.next),
});

/** A word with that many low bits set. */
const below = (bits: number): number => (bits === 32 ? -1 : (1 << bits) - 1);

/** Keeps the bits of rows from `first` to before `end`, a public mask; all others become 0. */
export function inRows(plane: Plane, first: number, end: number): Plane {
  const cut = (words: Int32Array): Int32Array =>
    words.map((word, i) => {
      const low = Math.min(32, Math.max(0, first - 32 * i));
      const high = Math.min(32, Math.max(0, end - 32 * i));
      return word & below(high) & ~below(low);
    });
  return { own: cut(plane.own), next: cut(plane.next) };
}

/** The same values in at least `width` planes: the top bit goes on where `signed`, zeros elsewhere. Local. */
export function signExtended({ rows, planes }: Bits, width: number, signed: boolean): Bits {
  const length = planeWords(rows);
  const top = signed
    ? planes[planes.length - 1]
    : { own: new Int32Array(length), next: new Int32Array(length) };
  const more = Math.max(0, width - planes.length);
  return { rows, planes: [...planes, ...Array.from({ length: more }, () => top)] };
}
