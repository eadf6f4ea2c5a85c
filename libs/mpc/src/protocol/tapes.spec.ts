import { simulate, type Three } from '../../test/three.js';
import { addBits, toBoolean } from './adder.js';
import { toArithmetic } from './arithmetic.js';
import { equal, greater } from './compare.js';
import { between, isOneOf } from './constants.js';
import { input } from './input.js';
import type { Protocol } from './link.js';
import { muxBits } from './mux.js';
import { open } from './open.js';
import { Party, type PartyId, type Streams } from './party.js';
import { andWords, multiply } from './products.js';
import { xorWords, type Bits, type Shares } from './shares.js';
import { dotWide } from './wide-products.js';

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
