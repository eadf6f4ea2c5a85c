import {
  parties,
  random,
  share,
  simulate,
  wideToBits,
  words,
  type Three,
} from '../../test/three.js';
import { addBits, toBoolean } from './adder.js';
import { lift, toArithmetic } from './arithmetic.js';
import { sameForms } from './checks.js';
import { combinations } from './combinations.js';
import { equal, greater } from './compare.js';
import { between, isOneOf } from './constants.js';
import { digitPass } from './digits.js';
import { disclosed, selectionsOf, type Rules } from './disclosure.js';
import { divideRounded } from './division.js';
import { finalise } from './finalise.js';
import { globalExtreme, globalSum } from './globals.js';
import { frame } from './groups.js';
import type { Protocol } from './link.js';
import { disclosedByLargest, ownerRuns } from './many-owners.js';
import { memberWords } from './members.js';
import { muxBits } from './mux.js';
import { open } from './open.js';
import { Party } from './party.js';
import { toBits } from './planes.js';
import { andWords, multiply, reshare } from './products.js';
import { runExtreme, runOr } from './runs.js';
import { xorWords, type Bits, type Plane, type Shares } from './shares.js';
import { shuffle, type Column } from './shuffle.js';
import { sort, wideSort } from './sort.js';
import { multiplyWide, toWideBit } from './wide-products.js';
import { wideToBoolean, wordsToArithmetic, wordsToWide } from './words.js';

const ROWS = 256;
/** What a step is given: shares of columns of one kind of value. */
interface Given {
  words: Shares[];
  numbers: Shares[];
  wide: Shares[];
  plane: Plane;
}

const FILLS: Record<string, (seed: number) => () => number> = {
  zeros: () => () => 0,
  ones: () => () => -1,
  'random words': random,
};

function given(fill: () => number, seed: number): Three<Given> {
  const next = random(seed);
  const many = (form: 'boolean' | 'arithmetic' | 'wide', length: number): Three<Shares>[] =>
    [0, 1, 2].map(() => share(form, words(length, fill), next));
  const [w, n, wides] = [many('boolean', ROWS), many('arithmetic', ROWS), many('wide', 2 * ROWS)];
  const [plane] = many('boolean', ROWS / 32);
  const of = (columns: Three<Shares>[], i: number): Shares[] => columns.map((column) => column[i]);
  return [0, 1, 2].map((i) => ({
    words: of(w, i),
    numbers: of(n, i),
    wide: of(wides, i),
    plane: plane[i],
  })) as Three<Given>;
}

/** Parties that fail where one key stream is drawn twice. */
const strict = (seed: number): Three<Party> =>
  parties(seed).map((party) => {
    const seen = new Set<string>();
    return new Party(party.id, (key, step, purpose) => {
      const name = `${key} ${step} ${purpose}`;
      if (seen.has(name)) throw new Error(`the stream ${name} is drawn twice`);
      seen.add(name);
      return party.stream(key, step, purpose);
    });
  }) as Three<Party>;

/** Pearson's statistic of bytes against the uniform distribution: 255 degrees of freedom. */
function distance(bytes: readonly number[]): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte] += 1;
  const expected = bytes.length / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
/** Exceeded with probability 1e-9 (Wilson and Hilferty 1931). */
const MOST = 255 * (1 - 2 / (9 * 255) + 5.998 * Math.sqrt(2 / (9 * 255))) ** 3;

const RULES: Rules = {
  counted: 'unit',
  minGroupSize: 5,
  minOwners: 2,
  maxSharePercent: 60,
  residual: true,
  filters: 1,
  owners: [2],
};
const column = (form: Column['form'], shares: Shares): Column => ({ form, shares });
const bits = (x: Shares, width = 32): Bits => toBits(x, width);

/** Every step, on columns of any values; lanes and bits above a width are never among what is told. */
const STEPS: Record<string, (party: Party, given: Given) => Protocol<unknown>> = {
  and: (party, { words: [x, y] }) => andWords(party, x, y),
  multiply: (party, { numbers: [x, y] }) => multiply(party, x, y),
  'multiply, 64 bits': (party, { wide: [x, y] }) => multiplyWide(party, x, y),
  open: (_, { words: [x] }) => open(x, xorWords),
  equal: (party, { words: [x, y] }) => equal(party, [[bits(x), bits(y)]]),
  greater: (party, { words: [x, y] }) => greater(party, bits(x), bits(y)),
  'greater, 64 bits': (party, { wide: [x, y] }) => greater(party, wideToBits(x), wideToBits(y)),
  between: (party, { words: [x] }) => between(party, bits(x), { min: -7n, max: 9n, signed: true }),
  in: (party, { words: [x] }) => isOneOf(party, bits(x), [0n, 1n, -1n]),
  adder: (party, { words: [x, y] }) => addBits(party, bits(x), bits(y)),
  A2B: (party, { numbers: [x] }) => toBoolean(party, x),
  'A2B, 64 bits': (party, { wide: [x] }) => wideToBoolean(party, x),
  B2A: (party, { plane }) => toArithmetic(party, [plane], ROWS),
  'B2A into Z_2^64': (party, { plane }) => toWideBit(party, plane, ROWS),
  'B2A of words': (party, { words: [x] }) => wordsToArithmetic(party, bits(x), true),
  'B2A of words into Z_2^64': (party, { wide: [x] }) => wordsToWide(party, wideToBits(x), true),
  lift: (party, { numbers: [x] }) => lift(party, x),
  mux: (party, { plane, words: [x, y] }) => muxBits(party, plane, bits(x), bits(y)),
  'run OR': (party, { plane, words: [x] }) => runOr(party, plane, bits(x, 2).planes, ROWS),
  shuffle: (party, { words: [x], numbers: [y], wide: [z] }) =>
    shuffle(party, [column('boolean', x), column('arithmetic', y), column('wide', z)]),
  'digit pass': (party, { words: [x], numbers: [y] }) =>
    digitPass(party, bits(x, 3).planes, [column('arithmetic', y)]),
  sort: (party, { words: [x], numbers: [y] }) =>
    sort(
      party,
      [column('boolean', x), column('arithmetic', y)],
      [{ column: 0, bit: 31, flipped: true }],
    ),
  'sort of a wide table': (party, { words: [x], wide: [y] }) =>
    wideSort(
      party,
      [column('boolean', x), column('wide', y)],
      [{ column: 0, bit: 3, flipped: true }],
      2,
    ),
  'frame of groups': (party, { plane, words: [x] }) => frame(party, bits(x).planes, plane, ROWS),
  'MIN of runs': (party, { plane, words: [x] }) =>
    runExtreme(party, plane, bits(x, 8), { which: 'MIN', signed: true }),
  'small key space': (party, { plane, words: [x] }) =>
    combinations(party, [{ bits: bits(x, 2), values: [0n, 1n, 2n] }], plane),
  'global SUM': (party, { plane, numbers: [x] }) =>
    globalSum(party, column('arithmetic', x), plane),
  'global MAX': (party, { plane, words: [x] }) =>
    globalExtreme(party, bits(x), { which: 'MAX', signed: false }, plane),
  AVG: (party, { wide: [sum], numbers: [count] }) =>
    divideRounded(party, { sum, count }, { factor: 100, quotientBits: 4, countBits: 9 }),
  'both forms': (party, { numbers: [x], words: [y] }) =>
    sameForms(party, column('arithmetic', x), bits(y)),
  members: (party, { plane, words: [x] }) =>
    memberWords(
      party,
      { rows: ROWS, valid: plane, flags: bits(x, 3).planes, units: { g: plane, last: plane } },
      selectionsOf(RULES),
    ),
  disclosure: (party, { numbers: [x] }) =>
    disclosed(party, { rules: RULES, counts: selectionsOf(RULES).map(() => x), rows: ROWS }),
  'runs of owners': (party, { plane }) =>
    ownerRuns(
      party,
      { groups: { g: plane, last: plane }, owners: { g: plane, last: plane } },
      ROWS,
    ),
  'disclosure over many owners': (party, { numbers: [count, owners], words: [x] }) =>
    disclosedByLargest(party, RULES, { count, owners, largest: bits(x, 9) }, ROWS),
  finalise: (party, { plane, words: [x], numbers: [y], wide: [z] }) =>
    finalise(
      party,
      {
        valid: plane,
        columns: [column('boolean', x), column('arithmetic', y), column('wide', z)],
      },
      { rows: ROWS, ordered: true },
    ),
};

describe('jobs.md 11: all that a party is told is uniform, with keys 1 to 3, over zeros, ones and random words (chi-square of bytes, error probability 1e-9 for each party)', () => {
  const RUNS = [1, 2, 3];
  const told = (
    step: (party: Party, given: Given) => Protocol<unknown>,
    fill: string,
  ): number[][] => {
    const bytes: Three<number[]> = [[], [], []];
    for (const seed of RUNS) {
      const inputs = given(FILLS[fill](seed), seed);
      const { views } = simulate(strict(seed), (party, i) => step(party, inputs[i]), {
        keepViews: true,
      });
      views.forEach((view, i) => bytes[i].push(...new Uint8Array(Int32Array.from(view).buffer)));
    }
    return bytes;
  };

  it.each(Object.keys(STEPS))('%s', (name) => {
    for (const fill of Object.keys(FILLS))
      for (const bytes of told(STEPS[name], fill))
        if (bytes.length > 0) expect(distance(bytes)).toBeLessThan(MOST);
  });

  it('a step that forgets its mask is found out', () => {
    const products = told(
      (_, { words: [x, y] }) => reshare(x.own.map((word, i) => word & y.own[i])),
      'random words',
    );
    expect(Math.min(...products.map(distance))).toBeGreaterThan(MOST);
  });
});
