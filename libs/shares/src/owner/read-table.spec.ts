import fc from 'fast-check';
import { readTable, textHasher, type OwnerTable, type TableSchema } from '../index.js';
import { readRecords } from './csv.js';

const salt = Buffer.alloc(32, 7).toString('base64url');
const hash = await textHasher(salt);
const read = (csv: string, schema: TableSchema): Promise<OwnerTable> =>
  readTable(csv, schema, { maxRows: 4, hash });

/** The cells of a column as integers, or the findings. */
async function values(cells: string[], declaration: TableSchema[string]): Promise<unknown> {
  const csv = `c\n${cells.map((cell) => `"${cell.replaceAll('"', '""')}"\n`).join('')}`;
  const result = await read(csv, { c: declaration });
  if ('findings' in result) return result.findings.map(({ code, row }) => `${code} ${row}`);
  const { low, high } = result.table.columns.get('c')!;
  return Array.from(low, (word, i) => (BigInt(high[i]!) << 32n) | BigInt(word >>> 0));
}

describe('the file of an owner', () => {
  test('jobs.md 11.3: every type is encoded', async () => {
    expect(await values(['42', '-7', ' 0012 '], 'years')).toEqual([42n, -7n, 12n]);
    expect(await values(['9223372036854775807'], { type: 'BIGINT' })).toEqual([2n ** 63n - 1n]);
    const decimal = { type: 'DECIMAL', scale: 2 } as const;
    expect(await values(['1.5', '-0.07', '3'], decimal)).toEqual([150n, -7n, 300n]);
    const category = { type: 'CATEGORY', categories: ['low', 'high'] } as const;
    expect(await values(['high', 'low'], category)).toEqual([1n, 0n]);
    const dictionary = { type: 'VARCHAR', length: 5, dictionary: ['b', 'a', 'é'] } as const;
    expect(await values(['a', 'b', 'é'], dictionary)).toEqual([0n, 1n, 2n]);
    expect(await values(['1970-01-02', '1969-12-31'], { type: 'DATE' })).toEqual([1n, -1n]);
  });

  test('jobs.md 11.3: hashed text is NFC, 64 bits of an HMAC', async () => {
    const column = { type: 'VARCHAR', length: 4 } as const;
    const [composed, decomposed] = (await values(['caf\u00e9', 'cafe\u0301'], column)) as bigint[];
    expect(composed).toBe(decomposed);
    expect(BigInt.asUintN(64, composed!).toString(16).padStart(16, '0')).toBe(await hash('café'));
  });

  test('jobs.md 8: range, labels, length, digits and unique keys are checked', async () => {
    expect(await values(['1', '2147483648', 'x', ''], 'years')).toEqual([
      'out_of_range 2',
      'bad_value 3',
      'bad_value 4',
    ]);
    const bounded = { type: 'INTEGER', min: 0, max: 9 } as const;
    expect(await values(['10', '-1'], bounded)).toEqual(['out_of_range 1', 'out_of_range 2']);
    expect(await values(['1.234'], { type: 'DECIMAL', scale: 2 })).toEqual(['bad_value 1']);
    const category = { type: 'CATEGORY', categories: ['low', 'high'] } as const;
    expect(await values(['Low'], category)).toEqual(['unknown_label 1']);
    expect(await values(['abcd'], { type: 'VARCHAR', length: 3 })).toEqual(['too_long 1']);
    expect(await values(['2026-02-29'], { type: 'DATE' })).toEqual(['bad_value 1']);
    const key = { type: 'INTEGER', unique: true } as const;
    expect(await values(['1', '2', '1'], key)).toEqual(['not_unique 3']);
  });

  test('columns come in any order, others stay at home', async () => {
    const result = await read('x,b,a\nsecret,2,1\n', { a: 'years', b: 'years' });
    expect(result).toMatchObject({ ignored: ['x'], table: { rows: 1 } });
    expect('table' in result && [...result.table.columns.keys()]).toEqual(['a', 'b']);
  });

  test.each([
    ['b\n1\n', 'missing_column'],
    ['a,a\n1,1\n', 'column_twice'],
    ['a\n', 'bad_file'],
    ['a\n1,2\n', 'bad_file'],
    ['a\n1\n\n2\n', 'bad_file'],
    ['a\n"1\n', 'bad_file'],
    ['a\n1\n1\n1\n1\n1\n', 'too_many_rows'],
  ])('the file %j is refused as %s', async (csv, code) => {
    expect(await read(csv, { a: 'years' })).toMatchObject({ findings: [{ code }] });
  });

  test('RFC 4180: any cells come back', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é', ' ') });
    const records = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }));
    fc.assert(
      fc.property(records, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, marked) => {
        const line = (row: string[]): string =>
          row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',') + end;
        const csv = (marked ? '\uFEFF' : '') + rows.map(line).join('');
        expect([...readRecords(csv)]).toEqual(rows);
      }),
    );
  });
});
