import type { Source, Value } from '../compile/values.js';
import { lift } from '../protocol/arithmetic.js';
import { toBoolean } from '../protocol/adder.js';
import { publicBits } from '../protocol/constants.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { multiply } from '../protocol/products.js';
import { add, subtract, type Bits } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { addWideShares, flattened, subtractWideShares } from '../protocol/wide.js';
import { multiplyWide } from '../protocol/wide-products.js';
import { wideToBoolean, wordsToArithmetic, wordsToWide } from '../protocol/words.js';
import { isWide, low, scaled } from './columns.js';
import { fitted, isSigned, publicWords, type Forms } from './rows.js';

export type Ring = 32 | 64;

/** What the leaves of values stand for: columns of rows, or keys and aggregates of groups. */
export interface Leaves {
  count: number;
  leaf(source: Source): Forms;
}

/** Where a leaf is kept once it is made: `column 3 64`. */
type Made = Map<string, Column>;

interface Context {
  party: Party;
  leaves: Leaves;
  made: Made;
}

export const isLeaf = (value: Value): value is Value & Source =>
  value.op === 'column' || value.op === 'key' || value.op === 'aggregate';

const positionOf = (source: Source): number => {
  if (source.op === 'column') return source.column;
  return source.op === 'key' ? source.key : source.aggregate;
};
const keyOf = (value: Value & Source, ring: Ring): string =>
  `${value.op} ${positionOf(value)} ${ring}`;

/** The ring of the operands of a node that is wanted in a ring: a node of 32 bits is computed there and lifted (11.3). */
export const inner = (value: Value, ring: Ring): Ring => (ring === 64 ? value.ring : 32);

/** Leaves of a value with the rings in which they are needed. */
export function leavesOf(value: Value, ring: Ring): [Value & Source, Ring][] {
  if (isLeaf(value)) return [[value, ring]];
  if (value.op === 'negate') return leavesOf(value.operand, inner(value, ring));
  if (!('left' in value)) return [];
  return [value.left, value.right].flatMap((part) => leavesOf(part, inner(value, ring)));
}

/** A leaf in a ring: as it is there, its low words, lifted, or made of its bits. */
function* leafWords(
  { party, leaves }: Context,
  value: Value & Source,
  ring: Ring,
): Protocol<Column> {
  const { words, bits } = leaves.leaf(value);
  if (words && ring === 32) return low(words);
  if (words && isWide(words)) return words;
  if (words) return { form: 'wide', shares: flattened(yield* lift(party, words.shares)) };
  if (!bits) throw new Error(`the plan loads no form of ${keyOf(value, ring)}`);
  const signed = isSigned(value.type);
  return ring === 64
    ? { form: 'wide', shares: yield* wordsToWide(party, bits, signed) }
    : { form: 'arithmetic', shares: yield* wordsToArithmetic(party, bits, signed) };
}

type Operator = 'add' | 'subtract' | 'multiply';

const SUMS = { add, subtract };
const WIDE_SUMS = { add: addWideShares, subtract: subtractWideShares };

function* operate(party: Party, op: Operator, [x, y]: readonly Column[]): Protocol<Column> {
  const { form } = x;
  if (op === 'multiply') {
    const product = isWide(x) ? multiplyWide : multiply;
    return { form, shares: yield* product(party, x.shares, y.shares) };
  }
  return { form, shares: (isWide(x) ? WIDE_SUMS : SUMS)[op](x.shares, y.shares) };
}

function* binary(context: Context, value: Value & { op: Operator }, ring: Ring): Protocol<Column> {
  const { op, left, right } = value;
  if (op === 'multiply' && right.op === 'constant')
    return scaled(yield* evaluate(context, left, ring), right.value);
  if (op === 'multiply' && left.op === 'constant')
    return scaled(yield* evaluate(context, right, ring), left.value);
  const sides = yield* together(evaluate(context, left, ring), evaluate(context, right, ring));
  return yield* operate(context.party, op, sides);
}

function* node(context: Context, value: Value, ring: Ring): Protocol<Column> {
  if (value.op === 'negate') return scaled(yield* evaluate(context, value.operand, ring), -1n);
  if ('left' in value) return yield* binary(context, value, ring);
  throw new Error(`${value.op} is no value of rows`);
}

function* evaluate(context: Context, value: Value, ring: Ring): Protocol<Column> {
  const { party, leaves, made } = context;
  const known = isLeaf(value) && made.get(keyOf(value, ring));
  if (known) return known;
  if (value.op === 'constant') return publicWords(party, leaves.count, value.value, ring);
  const found = yield* node(context, value, inner(value, ring));
  if (ring === 32 || isWide(found)) return found;
  return { form: 'wide', shares: flattened(yield* lift(party, found.shares)) };
}

export interface WantedWords {
  value: Value;
  ring: Ring;
}

/** Values of rows in arithmetic form; each leaf is converted once, all of them in the same rounds. */
export function* wordsOf(
  party: Party,
  leaves: Leaves,
  wanted: readonly WantedWords[],
): Protocol<Column[]> {
  const context: Context = { party, leaves, made: new Map() };
  const needed = new Map(
    wanted
      .flatMap(({ value, ring }) => leavesOf(value, ring))
      .map((pair) => [keyOf(...pair), pair] as const),
  );
  const made = yield* together(
    ...Array.from(needed.values(), ([value, ring]) => leafWords(context, value, ring)),
  );
  [...needed.keys()].forEach((key, index) => context.made.set(key, made[index]));
  return yield* together(...wanted.map(({ value, ring }) => evaluate(context, value, ring)));
}

export interface WantedBits {
  value: Value;
  /** Low bits that are needed; the value fits in them, in two's complement where it may be negative. */
  width: number;
}

function* toBits(party: Party, words: Column, width: number): Protocol<Bits> {
  return isWide(words)
    ? yield* wideToBoolean(party, words.shares, width)
    : yield* toBoolean(party, words.shares, width);
}

/** Values of rows as bits: columns are there in bits, what is computed is converted, all in the same rounds. */
export function* bitsOf(
  party: Party,
  leaves: Leaves,
  wanted: readonly WantedBits[],
): Protocol<Bits[]> {
  const known = wanted.map(({ value, width }): Bits | undefined => {
    if (value.op === 'constant') return publicBits(party, value.value, leaves.count, width);
    const bits = isLeaf(value) ? leaves.leaf(value).bits : undefined;
    return bits && fitted(bits, width, isSigned(value.type));
  });
  const computed = wanted.filter((_, index) => !known[index]);
  const words = yield* wordsOf(
    party,
    leaves,
    computed.map(({ value, width }) => ({ value, ring: width > 32 ? 64 : 32 })),
  );
  const made = yield* together(
    ...computed.map(({ width }, index) => toBits(party, words[index], width)),
  );
  return known.map((bits) => bits ?? (made.shift() as Bits));
}
