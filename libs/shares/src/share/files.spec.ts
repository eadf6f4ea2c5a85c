import fc from 'fast-check';
import {
  readShareFile,
  shareHeader,
  ShareFileError,
  split,
  writeBinary,
  writeCsv,
  type EncodedTable,
  type PartyCount,
  type RandomWords,
  type ShareFile,
  type ShareFormat,
  type TableSchema,
} from '../index.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const bytes = (csv: string): Uint8Array => Buffer.from(csv, 'utf8');

/** A table of 64-bit integers by column. */
function tableOf(columns: Record<string, readonly bigint[]>): EncodedTable {
  const words = Object.entries(columns).map(([name, values]) => {
    const low = Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value)));
    const high = Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value >> 32n)));
    return [name, { low, high }] as const;
  });
  return { rows: Object.values(columns)[0]?.length ?? 0, columns: new Map(words) };
}

/** Draws that were written down beforehand, one array per share column. */
function drawing(columns: number[][]): RandomWords {
  const left = [...columns];
  return (words) => words.set(left.shift() ?? []);
}

const AGE: TableSchema = { Age: 'years' };

describe('share files', () => {
  test('jobs.md 7.2: the worked example, byte for byte', () => {
    const random = drawing([
      [1_000_000_000, 2_147_483_647],
      [-5, 2_147_483_647],
      [305_419_896, 7],
      [-1, -2_147_483_648],
    ]);
    const files = split(tableOf({ Age: [42n, -7n] }), { table: AGE }, random);
    const header = 'Age_0,Age_1,[Age]_0,[Age]_1\n';
    expect(files.map((file) => text(writeCsv(file)))).toEqual([
      `${header}-999999953,1000000000,-305419859,305419896\n-5,2147483647,2147483646,7\n`,
      `${header}1000000000,-5,305419896,-1\n2147483647,2147483647,7,-2147483648\n`,
      `${header}-5,-999999953,-1,-305419859\n2147483647,-5,-2147483648,2147483646\n`,
    ]);
  });

  test('jobs.md 7.2: header of every kind of column', () => {
    const table: TableSchema = {
      n: 'years',
      big: { type: 'BIGINT' },
      name: { type: 'VARCHAR', length: 10 },
    };
    expect(shareHeader({ table, hi: ['n'] })).toEqual(
      [
        ['n_0', 'n_1', 'n#hi_0', 'n#hi_1', '[n]_0', '[n]_1'],
        ['big_0', 'big_1', 'big#hi_0', 'big#hi_1'],
        ['[big]_0', '[big]_1', '[big#hi]_0', '[big#hi]_1'],
        ['[name#hi]_0', '[name#hi]_1', '[name#lo]_0', '[name#lo]_1'],
      ].flat(),
    );
    expect(shareHeader({ table: AGE, parties: 4 })).toEqual([
      'Age_0',
      'Age_1',
      'Age_2',
      '[Age]_0',
      '[Age]_1',
      '[Age]_2',
    ]);
  });

  const cells = fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), {
    minLength: 1,
    maxLength: 20,
  });
  const mixed: TableSchema = {
    n: 'years',
    wide: 'years',
    big: { type: 'BIGINT' },
    hash: { type: 'VARCHAR', length: 10 },
  };

  test('jobs.md 7.1: slots of every word add up, copies are equal, in both file forms', async () => {
    await fc.assert(
      fc.asyncProperty(cells, fc.constantFrom<PartyCount>(3, 4), async (values, parties) => {
        const format: ShareFormat = { table: mixed, hi: ['wide'], parties };
        const narrow = values.map((value) => BigInt.asIntN(32, value));
        const table = tableOf({ n: narrow, wide: narrow, big: values, hash: values });
        const files = split(table, format);
        for (const [party, file] of files.entries()) {
          const binary = await writeBinary(file, { party, parties, set: 1 });
          expect(await readShareFile(binary, format, 20)).toEqual(file);
          expect(await readShareFile(writeCsv(file), format, 20)).toEqual(file);
        }
        const sum = (a: bigint, b: bigint): bigint => a + b;
        const xor = (a: bigint, b: bigint): bigint => a ^ b;
        expect(opened(files, ['n'], sum)).toEqual(narrow);
        expect(opened(files, ['[n]'], xor)).toEqual(narrow);
        expect(opened(files, ['wide'], sum)).toEqual(narrow);
        expect(opened(files, ['wide', 'wide#hi'], sum)).toEqual(narrow);
        expect(opened(files, ['big', 'big#hi'], sum)).toEqual(values);
        expect(opened(files, ['[big]', '[big#hi]'], xor)).toEqual(values);
        expect(opened(files, ['[hash#lo]', '[hash#hi]'], xor)).toEqual(values);
        for (const word of ['n', 'wide#hi', '[big]', '[hash#lo]'])
          for (let party = 0; party < parties; party += 1)
            for (let j = 1; j < parties - 1; j += 1)
              expect(files[party]!.columns.get(`${word}_${j}`)).toEqual(
                files[(party + j) % parties]!.columns.get(`${word}_0`),
              );
      }),
      { numRuns: 50 },
    );
  });

  /** Values of the words of a column, low word first, from the `_0` columns of all files. */
  function opened(
    files: ShareFile[],
    words: string[],
    join: (a: bigint, b: bigint) => bigint,
  ): bigint[] {
    const slot = ({ columns }: ShareFile, row: number): bigint =>
      words.reduce((value, word, i) => {
        const part = BigInt.asUintN(32, BigInt(columns.get(`${word}_0`)![row]!));
        return value + (part << BigInt(32 * i));
      }, 0n);
    return Array.from({ length: files[0]!.rows }, (_, row) => {
      const value = files.map((file) => slot(file, row)).reduce(join, 0n);
      return BigInt.asIntN(32 * words.length, value);
    });
  }

  const format: ShareFormat = { table: AGE };
  const header = 'Age_0,Age_1,[Age]_0,[Age]_1';
  const read = (csv: string): Promise<ShareFile> => readShareFile(bytes(csv), format, 3);

  test('jobs.md 7.2: BOM, CRLF, quotes and a missing final newline are read', async () => {
    const plain = await read(`${header}\n1,-2,3,0\n4,5,6,-2147483648`);
    const forms = [
      `\uFEFF${header}\r\n1,-2,3,0\r\n4,5,6,-2147483648\r\n`,
      `"Age_0","Age_1",[Age]_0,"[Age]_1"\n"1","-2",3,"0"\n4,5,6,-2147483648\n`,
    ];
    for (const form of forms) expect(await read(form)).toEqual(plain);
    expect([...plain.columns.values()].map((column) => [...column])).toEqual([
      [1, 4],
      [-2, 5],
      [3, 6],
      [0, -(2 ** 31)],
    ]);
  });

  test.each([
    '2147483648',
    '-2147483649',
    '1.5',
    '0x1',
    '-0',
    '1e3',
    '',
    ' ',
    ' 1',
    '1 ',
    '+1',
    '01',
    '-',
    '"1',
    '"1""2"',
    '99999999999999999999999',
    '١',
    '"1\n2"',
  ])('jobs.md 13: the cell %j is bad_cell', async (cell) => {
    const fault = { code: 'bad_cell', row: 2, column: '[Age]_0' };
    await expect(read(`${header}\n1,2,3,4\n1,2,${cell},4\n`)).rejects.toMatchObject(fault);
  });

  test.each([
    ['', 'header_mismatch'],
    [`${header},x_0\n1,2,3,4,5\n`, 'header_mismatch'],
    [`Age_1,Age_0,[Age]_0,[Age]_1\n1,2,3,4\n`, 'header_mismatch'],
    [`${header}\n`, 'bad_file'],
    [`${header}\n1,2,3\n`, 'bad_file'],
    [`${header}\n1,2,3,4,5\n`, 'bad_file'],
    [`${header}\n1,2,3,4\n\n1,2,3,4\n`, 'bad_file'],
    [`${header}\n1,2,3,4\n\n`, 'bad_file'],
    [`${header}\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n`, 'too_many_rows'],
  ])('jobs.md 8: the file %j is refused as %s', async (csv, code) => {
    await expect(read(csv)).rejects.toMatchObject({ name: 'ShareFileError', code });
  });

  test('jobs.md 7.2: a binary file that was cut, lengthened or changed anywhere is refused', async () => {
    const [file] = split(tableOf({ Age: [1n, 2n] }), format);
    const whole = await writeBinary(file!, { party: 0, parties: 3, set: 1 });
    const refused = async (form: Uint8Array): Promise<void> => {
      await expect(readShareFile(form, format, 3)).rejects.toThrow(ShareFileError);
    };
    for (let at = 0; at < whole.length; at += 1) {
      const changed = whole.slice();
      changed[at]! ^= 0x41;
      await refused(changed);
    }
    for (const length of [3, 4, 15, 16, 60, whole.length - 1])
      await refused(whole.slice(0, length));
    await refused(Buffer.concat([whole, Buffer.of(0)]));
    await expect(readShareFile(whole, format, 1)).rejects.toMatchObject({ code: 'too_many_rows' });
  });

  test('jobs.md 7.2: files with and without #hi columns of 32-bit columns fit', async () => {
    const wide: ShareFormat = { table: AGE, hi: ['Age'] };
    const base = `${header}\n1,2,3,4\n`;
    expect((await readShareFile(bytes(base), wide, 3)).columns.size).toBe(4);
    const [file] = split(tableOf({ Age: [1n] }), wide);
    expect((await readShareFile(writeCsv(file!), wide, 3)).columns.size).toBe(6);
    await expect(readShareFile(writeCsv(file!), format, 3)).rejects.toMatchObject({
      code: 'header_mismatch',
    });
  });
});
