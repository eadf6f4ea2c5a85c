import { exchange, type Protocol } from './link.js';
import type { Neighbour, Party, Stream } from './party.js';
import type { Shares } from './shares.js';
import { addWide, subtractWide } from './wide.js';

/**
 * A column that moves with its rows: XOR shared words, words of Z_2^32, or values of Z_2^64, whose low words stand before all
 * high words.
 */
export interface Column {
  form: 'boolean' | 'arithmetic' | 'wide';
  shares: Shares;
  /** Live bits of a boolean column, default 32: both slots have zeros above them, before and after every step. */
  width?: number;
}

/** Rows of a column. */
export const rowsOf = ({ form, shares }: Column): number =>
  form === 'wide' ? shares.own.length / 2 : shares.own.length;

/** Words that are drawn at a time for a permutation. */
const DRAWN = 4096;

/** Uniform numbers below a bound, from words of a stream (Lemire 2019); a rejected word costs another one. */
class Choices {
  private words: Int32Array = new Int32Array(0);
  private used = 0;

  constructor(private readonly stream: Stream) {}

  /** @param bound at most 2^21, so that a product is exact. */
  below(bound: number): number {
    for (;;) {
      if (this.used === this.words.length) {
        this.words = this.stream.words(DRAWN);
        this.used = 0;
      }
      const product = (this.words[this.used++] >>> 0) * bound;
      const low = product >>> 0;
      if (low >= bound || low >= 0x1_0000_0000 % bound) return (product - low) / 0x1_0000_0000;
    }
  }
}

/** A uniform permutation (Fisher and Yates); rejection sampling keeps every index as likely as any other. */
export function permutation(stream: Stream, length: number): Int32Array {
  const order = new Int32Array(length);
  for (let i = 0; i < length; i += 1) order[i] = i;
  const choices = new Choices(stream);
  for (let i = length - 1; i > 0; i -= 1) {
    const j = choices.below(i + 1);
    const swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  return order;
}

/**
 * Slots after a pass: row order[i] comes to place i. `first` makes (own + next) + s - r of party a, `second` next - s of party
 * b, each in one walk over the rows.
 */
interface Moves {
  first: (x: Shares, order: Int32Array, masks: { r: Int32Array; s: Int32Array }) => Int32Array;
  second: (next: Int32Array, order: Int32Array, s: Int32Array) => Int32Array;
}

/** Row order[i] comes to place i, in both halves of a wide column. */
function gather(words: Int32Array, order: Int32Array): Int32Array {
  const out = new Int32Array(words.length);
  const half = order.length;
  for (let i = 0; i < half; i += 1) {
    out[i] = words[order[i]];
    out[half + i] = words[half + order[i]];
  }
  return out;
}

const MOVES: Record<Column['form'], Moves> = {
  boolean: {
    first: ({ own, next }, order, { r, s }) => {
      const out = new Int32Array(order.length);
      for (let i = 0; i < out.length; i += 1) {
        const from = order[i];
        out[i] = own[from] ^ next[from] ^ s[i] ^ r[i];
      }
      return out;
    },
    second: (next, order, s) => {
      const out = new Int32Array(order.length);
      for (let i = 0; i < out.length; i += 1) out[i] = next[order[i]] ^ s[i];
      return out;
    },
  },
  arithmetic: {
    first: ({ own, next }, order, { r, s }) => {
      const out = new Int32Array(order.length);
      for (let i = 0; i < out.length; i += 1) {
        const from = order[i];
        out[i] = own[from] + next[from] + s[i] - r[i];
      }
      return out;
    },
    second: (next, order, s) => {
      const out = new Int32Array(order.length);
      for (let i = 0; i < out.length; i += 1) out[i] = next[order[i]] - s[i];
      return out;
    },
  },
  wide: {
    first: ({ own, next }, order, { r, s }) =>
      subtractWide(addWide(gather(addWide(own, next), order), s), r),
    second: (next, order, s) => subtractWide(gather(next, order), s),
  },
};

/** What the two parties of one pass draw from the key that they share: an order, and two masks for each column. */
interface Drawn {
  order: Int32Array;
  r: Int32Array[];
  s: Int32Array[];
}

/** Masks of one column, which have no bits that the column has not. */
function masksFor({ form, shares, width = 32 }: Column, stream: Stream): Int32Array {
  const words = stream.words(shares.own.length);
  if (form !== 'boolean' || width === 32) return words;
  const live = (1 << width) - 1;
  for (let i = 0; i < words.length; i += 1) words[i] &= live;
  return words;
}

function draw(party: Party, key: Neighbour, step: number, columns: readonly Column[]): Drawn {
  const [r, s] = (['r', 's'] as const).map((purpose) => party.stream(key, step, purpose));
  return {
    order: permutation(party.stream(key, step, 'perm'), rowsOf(columns[0])),
    r: columns.map((column) => masksFor(column, r)),
    s: columns.map((column) => masksFor(column, s)),
  };
}

const pieces = (words: Int32Array, columns: readonly Column[]): Int32Array[] => {
  let at = 0;
  return columns.map(({ shares }) => words.subarray(at, (at += shares.own.length)));
};

/** Party a of a pass: knows slots a and b, sends the new slot a to c, which is its previous. */
function* asFirst(party: Party, step: number, columns: readonly Column[]): Protocol<Shares[]> {
  const { order, r, s } = draw(party, 'next', step, columns);
  const shares = columns.map(({ form, shares }, k) => ({
    own: MOVES[form].first(shares, order, { r: r[k], s: s[k] }),
    next: r[k],
  }));
  yield* exchange({ toPrevious: shares.map(({ own }) => own) });
  return shares;
}

/** Party b of a pass: knows slots b and c, sends the new slot c to c, which is its next. */
function* asSecond(party: Party, step: number, columns: readonly Column[]): Protocol<Shares[]> {
  const { order, r, s } = draw(party, 'previous', step, columns);
  const shares = columns.map(({ form, shares: { next } }, k) => ({
    own: r[k],
    next: MOVES[form].second(next, order, s[k]),
  }));
  yield* exchange({ toNext: shares.map(({ next }) => next) });
  return shares;
}

/** Party c of a pass: does not know the permutation, is told both slots. */
function* asThird(columns: readonly Column[]): Protocol<Shares[]> {
  const words = columns.reduce((sum, { shares }) => sum + shares.own.length, 0);
  const { next, previous } = yield* exchange({ fromNext: words, fromPrevious: words });
  const own = pieces(previous, columns);
  return pieces(next, columns).map((slot, k) => ({ own: own[k], next: slot }));
}

/**
 * Rows of all columns in one secret order (11.5, shuffle; Chida et al., eprint 2019/695): three passes, each by two parties
 * that know its permutation; nobody knows the product. 3 rounds, 2 words per word.
 */
export function* shuffle(party: Party, columns: readonly Column[]): Protocol<Column[]> {
  let moved = [...columns];
  for (const a of [0, 1, 2]) {
    const step = party.step();
    const role = (party.id - a + 3) % 3;
    let shares: Shares[];
    if (role === 0) shares = yield* asFirst(party, step, moved);
    else if (role === 1) shares = yield* asSecond(party, step, moved);
    else shares = yield* asThird(moved);
    moved = moved.map((column, k) => ({ ...column, shares: shares[k] }));
  }
  return moved;
}
