import type { ShareFile } from '../share/file.js';
import { OpenError } from './open-error.js';
import type { StoredForm } from './result.js';

/** The `_0` columns of a word over all parties: one slot each. */
function slotsOf(files: readonly ShareFile[], word: string): Int32Array[] {
  return files.map(({ columns }) => {
    const words = columns.get(`${word}_0`);
    if (words) return words;
    throw new OpenError('share_mismatch', 'the files lack a column', { column: word });
  });
}

const COMBINE = {
  arithmetic: (a: bigint, b: bigint) => a + b,
  boolean: (a: bigint, b: bigint) => a ^ b,
};

/** The opened values of a column: the words of each slot are joined, then added or XORed (jobs.md 7.3). */
export function openWords(
  files: readonly ShareFile[],
  column: string,
  { form, bits }: StoredForm,
): (row: number) => bigint {
  const named = (word: string): string => (form === 'boolean' ? `[${word}]` : word);
  const low = slotsOf(files, named(column));
  const high = bits === 64 ? slotsOf(files, named(`${column}#hi`)) : [];
  const slot = (party: number, row: number): bigint =>
    bits === 32
      ? BigInt(low[party][row])
      : (BigInt(high[party][row]) << 32n) | BigInt(low[party][row] >>> 0);
  const parties = files.map((_, party) => party);
  return (row) => {
    const value = parties.map((party) => slot(party, row)).reduce(COMBINE[form]);
    return BigInt.asIntN(bits, value);
  };
}

const BIT: StoredForm = { form: 'boolean', bits: 32 };

/** Which rows of the file live: their bit in `[#V]`, which some write as `[##V]`. */
export function validity(files: readonly ShareFile[]): (row: number) => boolean {
  const name = files[0].columns.has('[##V]_0') ? '##V' : '#V';
  const bit = openWords(files, name, BIT);
  return (row) => bit(row) === 1n;
}

/** Whether the cell of a filtered aggregate may be shown. */
export function cellValidity(
  files: readonly ShareFile[],
  column: string,
  { validity: has }: StoredForm,
): (row: number) => boolean {
  if (!has) return () => true;
  const bit = openWords(files, `#V:${column}`, BIT);
  return (row) => bit(row) === 1n;
}
