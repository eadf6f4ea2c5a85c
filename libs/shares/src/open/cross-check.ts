import type { ShareFile } from '../share/file.js';
import { OpenError } from './open-error.js';

/**
 * Compares every copy of every slot (jobs.md 7.3): column `_j` of file i is column `_0` of file i + j.
 * @param files of all parties, in their order
 * @throws OpenError
 */
export function crossCheck(files: readonly ShareFile[]): void {
  const [first, ...others] = files;
  const header = [...first.columns.keys()];
  for (const { rows, columns } of others) {
    const same = columns.size === header.length && header.every((name) => columns.has(name));
    if (!same || rows !== first.rows)
      throw new OpenError('share_mismatch', 'the files differ in header or number of rows');
  }
  for (const name of header.filter((column) => column.endsWith('_0'))) {
    const column = name.slice(0, -2);
    for (let slot = 0; slot < files.length; slot += 1)
      compare(copiesOf(files, column, slot), column);
  }
}

interface Copy {
  party: number;
  words: Int32Array;
}

/** Who holds a slot: party `slot` as its copy 0, the party before it as copy 1, and so on. */
function copiesOf(files: readonly ShareFile[], column: string, slot: number): Copy[] {
  return files.slice(1).map((_, j) => {
    const party = (slot - j + files.length) % files.length;
    const words = files[party].columns.get(`${column}_${j}`);
    if (words) return { party, words };
    throw new OpenError('share_mismatch', 'a file lacks a copy of a column', { column });
  });
}

function compare(copies: readonly Copy[], column: string): void {
  const [first, ...others] = copies;
  for (let row = 0; row < first.words.length; row += 1) {
    if (others.every(({ words }) => words[row] === first.words[row])) continue;
    const parties = atFault(copies, row);
    throw new OpenError('share_mismatch', 'two copies of a share differ', {
      column,
      row: row + 1,
      parties,
    });
  }
}

/** The one party whose copy is unlike those of two that agree, else all. */
function atFault(copies: readonly Copy[], row: number): number[] {
  const odd = copies.filter(
    (copy) => copies.filter(({ words }) => words[row] === copy.words[row]).length === 1,
  );
  return (odd.length === 1 ? odd : copies).map(({ party }) => party).toSorted((a, b) => a - b);
}
