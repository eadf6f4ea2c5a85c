import type { Plan } from '../compile/plan.js';
import type { Plane, Shares } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { fileColumns, type FileColumn, type ResultShares } from './results.js';
import { columnsOfBits, fitted, isSigned, type Forms } from './rows.js';

/** What result slots hold: raw rows, or keys and aggregates. */
export interface Slots {
  count: number;
  valid: Plane;
  value(source: FileColumn['source']): Forms;
  /** For each filter whether its aggregates are shown. */
  shown: readonly Plane[];
}

/** Words of a value as its file column has them: all bits of 32 or 64, signs included. */
function columnsOf({ form, bits, type, name }: FileColumn, value: Forms): Column[] {
  if (form === 'boolean' && value.bits)
    return columnsOfBits(fitted(value.bits, bits, isSigned(type)));
  if (form === 'arithmetic' && value.words) return [value.words];
  throw new Error(`${name} was not computed in the form of the file`);
}

const validityOf = (plan: Plan, { source, validity }: FileColumn): number | undefined =>
  validity && source.op === 'aggregate' ? plan.aggregates[source.aggregate].filter : undefined;

/** The columns to export: values, then validity bits of filtered ones. */
export function exported(plan: Plan, slots: Slots): Column[] {
  const files = fileColumns(plan);
  const masks = files.flatMap((file) => validityOf(plan, file) ?? []);
  return [
    ...files.flatMap((file) => columnsOf(file, slots.value(file.source))),
    ...masks.flatMap((filter) =>
      columnsOfBits({ rows: slots.count, planes: [slots.shown[filter]] }),
    ),
  ];
}

const half = (shares: Shares, of: (words: Int32Array, middle: number) => Int32Array): Shares => ({
  own: of(shares.own, shares.own.length / 2),
  next: of(shares.next, shares.next.length / 2),
});

/** Low and high words of 64-bit values stand side by side. */
const wordsOf = ({ form, shares }: Column): Shares[] =>
  form === 'wide'
    ? [
        half(shares, (words, middle) => words.subarray(0, middle)),
        half(shares, (words, middle) => words.subarray(middle)),
      ]
    : [shares];

function headersOf({ name, form, bits }: FileColumn): string[] {
  const names = bits === 64 ? [name, `${name}#hi`] : [name];
  return form === 'boolean' ? names.map((each) => `[${each}]`) : names;
}

/** Names the words of `exported`, finalised, as result files do (7.3). */
export function resultOf(
  plan: Plan,
  rows: number,
  { valid, columns }: { valid: Shares; columns: readonly Column[] },
): ResultShares {
  const files = fileColumns(plan);
  const headers = [
    ...files.flatMap(headersOf),
    ...files.filter(({ validity }) => validity).map(({ name }) => `[#V:${name}]`),
    '[#V]',
  ];
  const words = [...columns.flatMap(wordsOf), valid];
  return { rows, columns: headers.map((header, index) => ({ header, words: words[index] })) };
}
