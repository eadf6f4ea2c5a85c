import { parties, random, share, simulate, type Three } from '../../test/three.js';
import { equal, greater } from './compare.js';
import { input } from './input.js';
import type { Protocol } from './link.js';
import { Party, type PartyId, type Streams } from './party.js';
import { toArithmetic } from './arithmetic.js';
import { andWords } from './products.js';
import type { Bits, Shares } from './shares.js';

/** Bits of one tape, drawn in order; a tape that is too short is an error. */
class Tape {
  used = 0;

  constructor(
    private readonly bits: number,
    private readonly length: number,
  ) {}

  bit(): number {
    if (this.used === this.length) throw new Error('the tape is too short');
    return (this.bits >> this.used++) & 1;
  }
}

/** Three parties that draw single bits from one tape; what each of them draws is written down for its view. */
function onTape(tape: Tape, views: Three<number[]>): Three<Party> {
  const drawn = new Map<string, Int32Array>();
  const streams =
    (id: number): Streams =>
    (key, step, purpose) => ({
      words: (length) => {
        const owner = key === 'next' ? id : (id + 2) % 3;
        const name = `${owner} ${step} ${purpose}`;
        const known = drawn.get(name) ?? Int32Array.from({ length }, () => tape.bit());
        drawn.set(name, known);
        views[id].push(...known);
        return known.slice();
      },
    });
  return [0, 1, 2].map((id) => new Party(id as PartyId, streams(id))) as Three<Party>;
}

/** Shares of bits, drawn from the tape. */
function shareBits(values: readonly number[], tape: Tape): Three<Shares[]> {
  const slots = values.map((value) => {
    const [s1, s2] = [tape.bit(), tape.bit()];
    return [value ^ s1 ^ s2, s1, s2].map((bit) => new Int32Array([bit]));
  });
  return [0, 1, 2].map((i) =>
    slots.map((slot) => ({ own: slot[i], next: slot[(i + 1) % 3] })),
  ) as Three<Shares[]>;
}

/** How often a party sees what, over all tapes: its shares, what it draws, what it is told. */
function viewsOf(
  values: readonly number[],
  length: number,
  side: (party: Party, shares: Shares[]) => Protocol<unknown>,
): Three<string> {
  const counts = [0, 1, 2].map(() => new Map<string, number>());
  for (let bits = 0; bits < 2 ** length; bits += 1) {
    const tape = new Tape(bits, length);
    const views: Three<number[]> = [[], [], []];
    const shares = shareBits(values, tape);
    const sides = onTape(tape, views);
    const outcome = simulate(sides, (party, i) => side(party, shares[i]), { keepViews: true });
    expect(tape.used).toBe(length);
    counts.forEach((seen, i) => {
      const held = shares[i].flatMap(({ own, next }) => [own[0], next[0]]);
      // NOT flips whole words; one lane is looked at.
      const told = outcome.views[i].map((word) => word & 1);
      const view = [held, views[i], told].join('|');
      seen.set(view, (seen.get(view) ?? 0) + 1);
    });
  }
  const lines = counts.map((seen) => [...seen].map(([view, times]) => `${view} ${times}`));
  return lines.map((list) => list.toSorted().join('\n')) as Three<string>;
}

const inputs = (bits: number): number[][] =>
  Array.from({ length: 2 ** bits }, (_, n) => Array.from({ length: bits }, (_, j) => (n >> j) & 1));

/** A party's view is the same for all inputs, counted over every tape there is. */
function expectSameViews(
  bits: number,
  length: number,
  side: (party: Party, shares: Shares[]) => Protocol<unknown>,
): void {
  const [first, ...others] = inputs(bits).map((values) => viewsOf(values, length, side));
  for (const other of others) expect(other).toEqual(first);
}

const value = (planes: Shares[]): Bits => ({ rows: 1, planes });

describe('jobs.md 11.4: what one party sees, over all random tapes', () => {
  it('of an AND', () => {
    expectSameViews(2, 7, (party, [x, y]) => andWords(party, x, y));
  });

  it('of an input of another party', () => {
    const side = (secret: number) => (party: Party) =>
      input(party, 'boolean', {
        owner: 0,
        length: 1,
        words: party.id === 0 ? new Int32Array([secret]) : undefined,
      });
    const [zero, one] = [0, 1].map((secret) => viewsOf([], 1, side(secret)));
    expect(one.slice(1)).toEqual(zero.slice(1));
  });

  it('of an equality of two bits', () => {
    expectSameViews(4, 11, (party, bits) =>
      equal(party, [[value(bits.slice(0, 2)), value(bits.slice(2))]]),
    );
  });

  it('of a comparison of one bit', () => {
    expectSameViews(2, 7, (party, [x, y]) => greater(party, value([x]), value([y])));
  });
});

describe('jobs.md 11.4: what one party is told, over many runs', () => {
  it('of a B2A is as uniform for zeros as for ones (each bit within 6 sigma; error probability below 1e-6)', () => {
    const ROWS = 8192;
    for (const bit of [0, -1]) {
      const plane = new Int32Array(ROWS / 32).fill(bit);
      const shares = share('boolean', plane, random(11));
      const { views } = simulate(
        parties(11),
        (party, i) => toArithmetic(party, [shares[i]], ROWS),
        { keepViews: true },
      );
      for (const view of views) {
        const ones = Array.from({ length: 32 }, (_, j) =>
          view.reduce((sum, word) => sum + ((word >>> j) & 1), 0),
        );
        const sigma = Math.sqrt(view.length) / 2;
        for (const count of ones) expect(Math.abs(count - view.length / 2)).toBeLessThan(6 * sigma);
      }
    }
  });
});
