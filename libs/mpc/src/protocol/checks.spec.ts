import fc from 'fast-check';
import {
  anyBig,
  parties,
  random,
  revealBits,
  share,
  shareBits,
  simulate,
  wideWords,
  words,
  wideToBits,
} from '../../test/three.js';
import { anySet, holdForOwners, sameForms } from './checks.js';
import { between } from './constants.js';
import { toBits } from './planes.js';

describe('jobs.md 8: stage D', () => {
  it('any bit set: ⌈log2 n⌉ rounds and an opening, for one bit among many and for none', () => {
    for (const rows of [1, 33, 2048]) {
      for (const at of [-1, 0, rows - 1]) {
        const bits = Array.from({ length: rows }, (_, i) => Number(i === at));
        const shares = shareBits(bits, random(rows));
        const { results, rounds } = simulate(parties(rows), (party, i) =>
          anySet(party, [shares[i], shares[i]]),
        );
        expect(results.flat()).toEqual(Array.from({ length: 6 }, () => at >= 0));
        if (rows === 2048) expect(rounds).toBe(11 + 1);
      }
    }
  });

  it('inconsistent_forms: a row in which the forms differ, of 32 and of 64 bits', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(69), (seed, wrong) => {
        const next = random(seed);
        const rows = 70;
        const narrow = words(rows, next);
        const wide = Array.from({ length: rows }, () => anyBig(next));
        const other = narrow.map((word, i) => (i === wrong ? word ^ (1 << (seed & 31)) : word));
        const otherWide = wide.map((value, i) => (i === wrong ? ~value : value));
        const forms = [
          share('arithmetic', narrow, next),
          share('boolean', other, next),
          share('wide', wideWords(wide), next),
          share('boolean', wideWords(otherWide), next),
        ];
        const side = simulate(parties(seed), (party, i) =>
          sameForms(party, { form: 'arithmetic', shares: forms[0][i] }, toBits(forms[1][i], 32)),
        );
        const wideSide = simulate(parties(seed), (party, i) =>
          sameForms(party, { form: 'wide', shares: forms[2][i] }, wideToBits(forms[3][i])),
        );
        const expected = Array.from({ length: rows }, (_, i) => Number(i !== wrong));
        expect(revealBits(side.results, rows)).toEqual(expected);
        expect(revealBits(wideSide.results, rows)).toEqual(expected);
        expect([side.rounds, wideSide.rounds]).toEqual([12, 14]);
      }),
      { numRuns: 20 },
    );
  });

  it('counts: forms 12 rounds, 13 words; range 7 rounds, 6 words', () => {
    const ROWS = 4096;
    const next = random(2);
    const value = words(ROWS, next);
    const [a, b] = [share('arithmetic', value, next), share('boolean', value, next)];
    const forms = simulate(parties(2), (party, i) =>
      sameForms(party, { form: 'arithmetic', shares: a[i] }, toBits(b[i], 32)),
    );
    const range = simulate(parties(2), (party, i) =>
      between(party, toBits(b[i], 32), { min: -5n, max: 2n ** 30n, signed: true }),
    );
    expect([forms.rounds, range.rounds]).toEqual([12, 7]);
    expect(forms.busiest / ROWS).toBeLessThanOrEqual(13 * 1.05);
    expect(range.busiest / ROWS).toBeLessThanOrEqual(6 * 1.05);
  });

  it('one bit per owner and column says where a row fails, and nothing else is opened', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.nat(80), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, owners, rare) => {
          const next = random(seed);
          const rows = owners.reduce((a, b) => a + b, 0);
          const columns = [0, 1, 2].map(() =>
            Array.from({ length: rows }, () => Number((next() >>> 0) / 2 ** 32 >= rare / 20)),
          );
          const planes = columns.map((bits) => shareBits(bits, next));
          const { results } = simulate(parties(seed), (party, i) =>
            holdForOwners(
              party,
              planes.map((plane) => plane[i]),
              owners,
            ),
          );
          const starts = owners.map((_, o) => owners.slice(0, o).reduce((a, b) => a + b, 0));
          const expected = columns.map((bits) =>
            owners.map((count, o) => bits.slice(starts[o], starts[o] + count).every(Boolean)),
          );
          for (const result of results) expect(result).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });
});
