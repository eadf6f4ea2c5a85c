import { storedBits, typeOf, type ColumnDeclaration } from '../schema/schema.js';
import type { PartyCount, ShareFormat } from './file.js';

/** One column of the schema as its shares are written: `low` and `high` word, in either form. */
export interface ColumnForm {
  arithmetic?: 32 | 64;
  boolean: 32 | 64;
  /** Text of which only 64 bits of an HMAC are shared: words are named `#hi` and `#lo`. */
  hash: boolean;
}

/** @param wide whether the arithmetic words of a 32-bit column are written in 64 bits. */
export function formOf(declaration: ColumnDeclaration, wide: boolean): ColumnForm {
  const hash = typeOf(declaration).kind === 'hash';
  if (hash) return { boolean: 64, hash };
  const bits = storedBits(declaration);
  return { arithmetic: wide ? 64 : bits, boolean: bits, hash };
}

/** Names of the word columns of one column, without their slot number; `boolean` tells the form. */
export function wordsOf(name: string, { arithmetic, boolean, hash }: ColumnForm): string[] {
  if (hash) return [`[${name}#hi]`, `[${name}#lo]`];
  return [
    ...(arithmetic ? [name] : []),
    ...(arithmetic === 64 ? [`${name}#hi`] : []),
    `[${name}]`,
    ...(boolean === 64 ? [`[${name}#hi]`] : []),
  ];
}

/** The copies `_0` … that a file of one of `parties` holds of a column. */
export const copiesOf = (word: string, parties: PartyCount): string[] =>
  Array.from({ length: parties - 1 }, (_, j) => `${word}_${j}`);

/** The header of the share files of a table (jobs.md 7.2), the same for every party. */
export function shareHeader({ table, hi = [], parties = 3 }: ShareFormat): string[] {
  return Object.entries(table).flatMap(([name, declaration]) =>
    wordsOf(name, formOf(declaration, hi.includes(name))).flatMap((word) =>
      copiesOf(word, parties),
    ),
  );
}

/** Whether a header is that of the format, with or without the `#hi` columns of 32-bit ones. */
export function headerFits(header: readonly string[], format: ShareFormat): boolean {
  return [format, { ...format, hi: [] }].some((accepted) => {
    const names = shareHeader(accepted);
    return names.length === header.length && names.every((name, i) => name === header[i]);
  });
}
