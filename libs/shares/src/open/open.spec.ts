import { resultFiles, resultShares, type Column } from '../../test/results.js';
import fc from 'fast-check';
import {
  openResult,
  writeCsv,
  type OpeningExpression,
  type PartyCount,
  type ResultColumn,
} from '../index.js';
import { evaluate } from './evaluate.js';
import { decimal, rounded } from './rational.js';

const live = (...bits: number[]): Column => ({
  name: '#V',
  form: 'boolean',
  bits: 32,
  values: bits.map(BigInt),
});
const number = { kind: 'number', scale: 0 } as const;

async function texts(columns: Column[], shown: ResultColumn[]): Promise<(string | null)[][]> {
  const { rows } = await openResult(resultFiles(columns), shown);
  return rows.map((row) => row.map(({ text }) => text));
}

describe('opening', () => {
  test('jobs.md 7.3: both forms and widths, dead slots left out', async () => {
    const values = [2n ** 63n - 1n, 0n, -(2n ** 63n)];
    const small = [2n ** 31n - 1n, 0n, -7n];
    const columns: Column[] = [
      { name: 'sum', form: 'arithmetic', bits: 64, values },
      { name: 'max', form: 'boolean', bits: 64, values },
      { name: 'n', form: 'arithmetic', bits: 32, values: small },
      { name: 'g', form: 'boolean', bits: 32, values: small },
      live(1, 0, 1),
    ];
    const shown = columns
      .slice(0, 4)
      .map(({ name, form, bits }) => ({ name, form, bits, type: number }));
    expect(await texts(columns, shown)).toEqual([
      ['9223372036854775807', '9223372036854775807', '2147483647', '2147483647'],
      ['-9223372036854775808', '-9223372036854775808', '-7', '-7'],
    ]);
  });

  test('jobs.md 7.3: scales, labels, days, and [##V] for [#V]', async () => {
    const form = { form: 'boolean', bits: 32 } as const;
    const columns: Column[] = [
      { name: 'price', ...form, values: [-5n] },
      { name: 'level', ...form, values: [1n] },
      { name: 'day', ...form, values: [-1n] },
      { ...live(1), name: '##V' },
    ];
    const shown: ResultColumn[] = [
      { name: 'price', ...form, type: { kind: 'number', scale: 2 } },
      { name: 'level', ...form, type: { kind: 'label', scale: 0, labels: ['low', 'high'] } },
      { name: 'day', ...form, type: { kind: 'date', scale: 0 } },
    ];
    expect(await texts(columns, shown)).toEqual([['-0.05', 'high', '1969-12-31']]);
  });

  test('jobs.md 7.3: masked cells are null and suppressed', async () => {
    const stored = { form: 'arithmetic', bits: 32, validity: true } as const;
    const columns: Column[] = [
      { name: 'n', ...stored, values: [9n, 0n] },
      { ...live(1, 0), name: '#V:n' },
      live(1, 1),
    ];
    const shown: ResultColumn[] = [
      { name: 'n', ...stored, type: number },
      {
        name: 'half',
        type: { kind: 'number', scale: 1 },
        opening: {
          op: 'divide',
          left: { op: 'component', aggregate: 0 },
          right: { op: 'number', digits: '2', scale: 0 },
        },
        components: [{ aggregate: 0, column: 'n', scale: 0, ...stored }],
      },
    ];
    const { rows } = await openResult(resultFiles(columns), shown);
    expect(rows).toEqual([
      [{ text: '9' }, { text: '4.5' }],
      [
        { text: null, suppressed: true },
        { text: null, suppressed: true },
      ],
    ]);
  });

  test('jobs.md 13: one changed word anywhere shows nothing, and is placed', async () => {
    const column: Column = { name: 'n', form: 'arithmetic', bits: 64, values: [1n, 2n, 3n] };
    const shown: ResultColumn[] = [{ name: 'n', form: 'arithmetic', bits: 64, type: number }];
    const place = fc.record({
      parties: fc.constantFrom<PartyCount>(3, 4),
      party: fc.nat(2),
      copy: fc.nat(1),
      row: fc.nat(2),
      name: fc.constantFrom('n', 'n#hi', '[#V]'),
    });
    await fc.assert(
      fc.asyncProperty(place, async ({ parties, party, copy, row, name }) => {
        const files = resultShares([column, live(1, 1, 1)], parties);
        files[party]!.columns.get(`${name}_${copy}`)![row]! ^= 1 << 5;
        const other = copy === 0 ? (party + parties - 1) % parties : (party + copy) % parties;
        const involved = parties === 4 ? [party] : [party, other].toSorted((a, b) => a - b);
        await expect(openResult(files.map(writeCsv), shown)).rejects.toMatchObject({
          code: 'share_mismatch',
          place: { column: name, row: row + 1, parties: involved },
        });
      }),
    );
  });

  test('files of different length, header or form do not fit', async () => {
    const files = resultFiles([live(1, 1)]);
    const shorter = resultFiles([live(1)]);
    const named = resultFiles([{ ...live(1, 1), name: 'x' }]);
    const mixed = [
      [files[0]!, files[1]!, shorter[2]!],
      [files[0]!, named[1]!, files[2]!],
      [files[0]!, files[1]!, Buffer.from('[#V]_0,[#V]_1\n1,x\n')],
      [files[1]!, files[0]!, files[2]!],
    ];
    for (const three of mixed)
      await expect(openResult(three, [])).rejects.toMatchObject({ code: 'share_mismatch' });
    const lacking: ResultColumn = { name: 'n', form: 'arithmetic', bits: 32, type: number };
    await expect(openResult(files, [lacking])).rejects.toMatchObject({ code: 'share_mismatch' });
  });

  test('a result without rows has none', async () => {
    const shown: ResultColumn[] = [{ name: 'n', form: 'arithmetic', bits: 32, type: number }];
    const none: Column = { name: 'n', form: 'arithmetic', bits: 32, values: [] };
    expect(await texts([none, live()], shown)).toEqual([]);
  });
});

describe('arithmetic at opening', () => {
  const values =
    (...digits: (bigint | null)[]) =>
    (aggregate: number) => {
      const value = digits[aggregate] ?? null;
      return value === null ? null : decimal(value, 0);
    };
  const part = (aggregate: number): OpeningExpression => ({ op: 'component', aggregate });
  const ratio: OpeningExpression = { op: 'divide', left: part(0), right: part(1) };
  const at = (node: OpeningExpression, scale: number, ...digits: (bigint | null)[]) => {
    const value = evaluate(node, values(...digits));
    return value && rounded(value, scale);
  };

  test('jobs.md 7.3: half away from zero, null and divisor 0 give null', () => {
    expect(at(ratio, 0, 1n, 2n)).toBe(1n);
    expect(at(ratio, 0, -1n, 2n)).toBe(-1n);
    expect(at(ratio, 0, 1n, -2n)).toBe(-1n);
    expect(at(ratio, 2, 1n, 3n)).toBe(33n);
    expect(at(ratio, 2, 5n, 0n)).toBeNull();
    expect(at(ratio, 2, null, 1n)).toBeNull();
  });

  test('jobs.md 7.3: exact until the end', () => {
    const three: OpeningExpression = { op: 'number', digits: '30', scale: 1 };
    expect(at({ op: 'multiply', left: ratio, right: three }, 0, 1n, 3n)).toBe(1n);
    const less: OpeningExpression = {
      op: 'subtract',
      left: ratio,
      right: { op: 'negate', operand: ratio },
    };
    expect(at(less, 3, 1n, 3n)).toBe(667n);
  });

  const statistic = (sample: boolean, root: boolean): OpeningExpression => {
    return { op: 'variance', sum: 0, squares: 1, count: 2, sample, root };
  };

  test('jobs.md 11.2: variance and deviation against plain sums', () => {
    const xs = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(xs, fc.boolean(), fc.boolean(), (rows, sample, root) => {
        const n = rows.length;
        const mean = rows.reduce((a, b) => a + b, 0) / n;
        const squares = rows.reduce((a, x) => a + (x - mean) ** 2, 0);
        const variance = squares / (sample ? n - 1 : n);
        const sums = [rows, rows.map((x) => x * x)].map((all) =>
          BigInt(all.reduce((a, b) => a + b, 0)),
        );
        const found = at(statistic(sample, root), 6, sums[0]!, sums[1]!, BigInt(n));
        expect(Number(found) / 1e6).toBeCloseTo(root ? Math.sqrt(variance) : variance, 4);
      }),
    );
  });

  test('jobs.md 7.3: the root is that of the exact variance, rounded once', () => {
    // 0, 0, 1: variance 1/3, root 0.57735…; its square is not rounded before.
    expect(at(statistic(true, true), 4, 1n, 1n, 3n)).toBe(5774n);
    // 0, 1: population variance 1/4, root exactly 1/2.
    expect(at(statistic(false, true), 0, 1n, 1n, 2n)).toBe(1n);
    expect(at(statistic(true, false), 2, 5n, 25n, 1n)).toBeNull();
    expect(at(statistic(false, false), 2, 0n, 0n, 0n)).toBeNull();
  });
});
