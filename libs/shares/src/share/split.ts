import type { EncodedTable, Words } from '../owner/encode.js';
import type { PartyCount, ShareFile, ShareFormat } from './file.js';
import { copiesOf, formOf, wordsOf } from './header.js';

/** Fills an array with uniform words of a cryptographic generator. */
export type RandomWords = (words: Int32Array) => void;

/** One call of WebCrypto fills at most 65536 bytes. */
const WORDS_AT_ONCE = 16_384;

export function randomWords(words: Int32Array): void {
  for (let at = 0; at < words.length; at += WORDS_AT_ONCE)
    crypto.getRandomValues(words.subarray(at, at + WORDS_AT_ONCE) as Int32Array<ArrayBuffer>);
}

/**
 * Splits a table into the share files of all parties, in party order (jobs.md 7.1): slot 0 of every cell is the value less
 * P − 1 uniform slots; party i gets slots i … i + P − 2 of each form.
 * @param random for tests only
 */
export function split(
  { rows, columns }: EncodedTable,
  format: ShareFormat,
  random: RandomWords = randomWords,
): ShareFile[] {
  const { table, hi = [], parties = 3 } = format;
  const files = Array.from({ length: parties }, (): ShareFile => ({ rows, columns: new Map() }));
  for (const [name, declaration] of Object.entries(table)) {
    const words = columns.get(name);
    if (!words) throw new Error(`the table has no column ${name}`);
    const form = formOf(declaration, hi.includes(name));
    const arithmetic = form.arithmetic
      ? slots(arithmeticRest, wordsIn(words, form.arithmetic), parties, random)
      : [];
    const boolean = slots(booleanRest, wordsIn(words, form.boolean), parties, random);
    const order = form.hash ? boolean.toReversed() : boolean;
    wordsOf(name, form).forEach((word, i) => deal(files, word, [...arithmetic, ...order][i]));
  }
  return files;
}

/** Slots of each word of a value: `[word][slot]`, low word first. */
type Slots = Int32Array[][];

/** What is left of the value for slot 0: writes into the words of `rest` what `slot` takes away. */
type Rest = (rest: Int32Array[], slot: readonly Int32Array[]) => void;

function slots(rest: Rest, words: Int32Array[], parties: PartyCount, random: RandomWords): Slots {
  const left = words.map((word) => word.slice());
  const drawn = Array.from({ length: parties - 1 }, () => {
    const slot = words.map((word) => new Int32Array(word.length));
    slot.forEach(random);
    rest(left, slot);
    return slot;
  });
  return words.map((_, word) => [left, ...drawn].map((slot) => slot[word]));
}

const booleanRest: Rest = (rest, slot) => {
  rest.forEach((word, w) => {
    const taken = slot[w];
    for (let row = 0; row < word.length; row += 1) word[row] ^= taken[row];
  });
};

/** Subtracts mod 2^32, or mod 2^64 where there are two words. */
const arithmeticRest: Rest = ([low, high], [takenLow, takenHigh]) => {
  for (let row = 0; row < low.length; row += 1) {
    const borrow = low[row] >>> 0 < takenLow[row] >>> 0 ? 1 : 0;
    low[row] -= takenLow[row];
    if (high) high[row] -= takenHigh[row] + borrow;
  }
};

const wordsIn = ({ low, high }: Words, bits: 32 | 64): Int32Array[] =>
  bits === 32 ? [low] : [low, high];

function deal(files: ShareFile[], word: string, slots: readonly Int32Array[]): void {
  const parties = files.length as PartyCount;
  files.forEach(({ columns }, party) => {
    copiesOf(word, parties).forEach((name, j) => columns.set(name, slots[(party + j) % parties]));
  });
}
