import {
  parties,
  random,
  share,
  simulate,
  words,
  type Three,
  wideToBits,
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
import { input } from './input.js';
import type { Protocol } from './link.js';
import { disclosedByLargest, ownerRuns } from './many-owners.js';
import { memberWords } from './members.js';
import { muxBits } from './mux.js';
import { open } from './open.js';
import { Party, type PartyId, type Streams } from './party.js';
import { toBits } from './planes.js';
import { andWords, multiply, reshare } from './products.js';
import { runExtreme, runOr } from './runs.js';
import { xorWords, type Bits, type Plane, type Shares } from './shares.js';
import { shuffle, type Column } from './shuffle.js';
import { sort, wideSort } from './sort.js';
import { dotWide, multiplyWide, toWideBit } from './wide-products.js';
import { wideToBoolean, wordsToArithmetic, wordsToWide } from './words.js';

/** Bits of one tape, drawn in order; a tape that is too short is an error. */
class Tape {
  used = 0;

  constructor(
    private readonly bits: number,
    private readonly length: number,
  ) {}

  draw(width: number): number {
    if (this.used + width > this.length) throw new Error('the tape is too short');
    const value = (this.bits >>> this.used) & ((1 << width) - 1);
    this.used += width;
    return value;
  }
}

/** Three parties that draw words of a small ring from one tape; what each of them draws is written down for its view. */
function onTape(tape: Tape, views: Three<number[]>, width: number): Three<Party> {
  const drawn = new Map<string, Int32Array>();
  const streams =
    (id: number): Streams =>
    (key, step, purpose) => ({
      words: (length) => {
        const owner = key === 'next' ? id : (id + 2) % 3;
        const name = `${owner} ${step} ${purpose}`;
        const known = drawn.get(name) ?? Int32Array.from({ length }, () => tape.draw(width));
        drawn.set(name, known);
        views[id].push(...known);
        return known.slice();
      },
    });
  return [0, 1, 2].map((id) => new Party(id as PartyId, streams(id))) as Three<Party>;
}

/**
 * A secret of a few bits and how it is shared: XOR of bits, or a word of Z_2^width, of which the low bits are a ring of their own
 * in all that is added and multiplied.
 */
interface Secret {
  form: 'boolean' | 'arithmetic';
  width: number;
}
const BIT: Secret = { form: 'boolean', width: 1 };
const word = (width: number): Secret => ({ form: 'arithmetic', width });

function shareOnTape(
  secrets: readonly Secret[],
  values: readonly number[],
  tape: Tape,
): Three<Shares[]> {
  const slots = secrets.map(({ form, width }, k) => {
    const [s1, s2] = [tape.draw(width), tape.draw(width)];
    const first = form === 'boolean' ? values[k] ^ s1 ^ s2 : values[k] - s1 - s2;
    return [first & ((1 << width) - 1), s1, s2].map((slot) => new Int32Array([slot]));
  });
  return [0, 1, 2].map((i) =>
    slots.map((slot) => ({ own: slot[i], next: slot[(i + 1) % 3] })),
  ) as Three<Shares[]>;
}

interface Enumeration {
  secrets: readonly Secret[];
  /** Bits that all draws together take: of the shares, and of the step. */
  tape: number;
  /** Bits of the words that a step draws and tells; more are not looked at. */
  width?: number;
  side: (party: Party, shares: Shares[]) => Protocol<unknown>;
}

/** How often a party sees what, over all tapes: its shares, what it draws, what it is told. */
function viewsOf(
  values: readonly number[],
  { secrets, tape: length, width = 1, side }: Enumeration,
): Three<string> {
  const counts = [0, 1, 2].map(() => new Map<number, number>());
  for (let bits = 0; bits < 2 ** length; bits += 1) {
    const tape = new Tape(bits, length);
    const views: Three<number[]> = [[], [], []];
    const shares = shareOnTape(secrets, values, tape);
    const sides = onTape(tape, views, width);
    const outcome = simulate(sides, (party, i) => side(party, shares[i]), { keepViews: true });
    if (tape.used !== length) throw new Error('the tape is too long');
    counts.forEach((seen, i) => {
      const held = shares[i].flatMap(({ own, next }) => [own[0], next[0]]);
      const told = outcome.views[i].map((each) => each & ((1 << width) - 1));
      // Words of at most two bits, as digits of one number.
      const view = [...held, ...views[i], ...told].reduce((digits, word) => 4 * digits + word, 1);
      seen.set(view, (seen.get(view) ?? 0) + 1);
    });
  }
  const lines = counts.map((seen) => [...seen].map(([view, times]) => `${view} ${times}`));
  return lines.map((list) => list.toSorted().join('\n')) as Three<string>;
}

/** All values that some secrets can have. */
const valuesOf = (secrets: readonly Secret[]): number[][] =>
  secrets.reduce<number[][]>(
    (rows, { width }) =>
      rows.flatMap((row) => Array.from({ length: 2 ** width }, (_, value) => [...row, value])),
    [[]],
  );

const value = (planes: Shares[]): Bits => ({ rows: 1, planes });
const wide = ({ own, next }: Shares): Shares => ({
  own: new Int32Array([own[0], 0]),
  next: new Int32Array([next[0], 0]),
});

describe('jobs.md 11.4: a party sees the same for all inputs, counted over every random tape', () => {
  const steps: (Enumeration & { step: string })[] = [
    { step: 'AND', secrets: [BIT, BIT], tape: 7, side: (party, [x, y]) => andWords(party, x, y) },
    {
      step: 'product in Z_2',
      secrets: [word(1), word(1)],
      tape: 7,
      side: (party, [x, y]) => multiply(party, x, y),
    },
    {
      step: 'product of a bit and a word in Z_4',
      secrets: [word(1), word(2)],
      tape: 12,
      width: 2,
      side: (party, [x, y]) => multiply(party, x, y),
    },
    {
      step: 'equality of two bits',
      secrets: [BIT, BIT, BIT, BIT],
      tape: 11,
      side: (party, bits) => equal(party, [[value(bits.slice(0, 2)), value(bits.slice(2))]]),
    },
    {
      step: 'comparison of one bit',
      secrets: [BIT, BIT],
      tape: 7,
      side: (party, [x, y]) => greater(party, value([x]), value([y])),
    },
    {
      step: 'IN of two bits',
      secrets: [BIT, BIT],
      tape: 10,
      side: (party, bits) => isOneOf(party, value(bits), [1n, 2n]),
    },
    {
      step: 'BETWEEN of one bit',
      secrets: [BIT],
      tape: 11,
      side: (party, bits) => between(party, value(bits), { min: 0n, max: 1n, signed: false }),
    },
    {
      step: 'sum of two bits',
      secrets: [BIT, BIT, BIT, BIT],
      tape: 11,
      side: (party, bits) => addBits(party, value(bits.slice(0, 2)), value(bits.slice(2))),
    },
    {
      step: 'A2B in Z_4',
      secrets: [word(2)],
      tape: 9,
      side: (party, [x]) => toBoolean(party, x, 2),
    },
    {
      step: 'B2A of a bit into Z_4',
      secrets: [BIT],
      tape: 10,
      width: 2,
      side: (party, [x]) => toArithmetic(party, [x], 1),
    },
    {
      step: 'mux of bits',
      secrets: [BIT, BIT, BIT],
      tape: 9,
      side: (party, [m, a, b]) => muxBits(party, m, value([a]), value([b])),
    },
  ];

  it.each(steps)('$step', (enumeration) => {
    const [first, ...others] = valuesOf(enumeration.secrets).map((values) =>
      viewsOf(values, enumeration),
    );
    for (const other of others) expect(other).toEqual(first);
  });

  it('dot product of two rows in Z_2', () => {
    const side = (party: Party, [x, y]: Shares[]): Protocol<Shares> =>
      dotWide(party, [[wide(x), wide(y)]]);
    // The high words are drawn as well.
    const enumeration = { secrets: [word(1), word(1)], tape: 10, side };
    const [first, ...others] = valuesOf(enumeration.secrets).map((values) =>
      viewsOf(values, enumeration),
    );
    for (const other of others) expect(other).toEqual(first);
  });

  it('input: the others see the same for all values', () => {
    const views = [0, 1].map((secret) =>
      viewsOf([], {
        secrets: [],
        tape: 1,
        side: (party) =>
          input(party, 'boolean', {
            owner: 0,
            length: 1,
            words: party.id === 0 ? new Int32Array([secret]) : undefined,
          }),
      }),
    );
    expect(views[1].slice(1)).toEqual(views[0].slice(1));
  });

  it('open: the same for all sharings of one value', () => {
    const [zero, one] = [0, 1].map((secret) =>
      viewsOf([secret], { secrets: [BIT], tape: 2, side: (_, [x]) => open(x, xorWords) }),
    );
    expect(zero).not.toEqual(one);
    const slots = zero.map((view) => view.split('\n').length);
    expect(slots).toEqual([4, 4, 4]);
  });
});

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
