import type { Plan } from '../src/compile/plan.js';
import { execute } from '../src/execute/execute.js';
import { resultColumns, type ResultShares } from '../src/execute/results.js';
import type { Inputs, TableInput } from '../src/execute/inputs.js';
import type { Shares, Wide } from '../src/protocol/shares.js';
import { parties, random, reveal, share, simulate, type Outcome, type Three } from './three.js';

/** Rows of one owner: cells as the engine sees them, by column. */
export type OwnerRows = Record<string, bigint>[];

const words = (values: readonly bigint[]): Int32Array =>
  Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value)));

type Form = 'boolean' | 'arithmetic';

/** 64-bit arithmetic slots are drawn in 64-bit words, so that the low words alone are a sharing too (jobs.md 7.1). */
function shareWide(form: Form, values: readonly bigint[], next: () => number): Three<Wide> {
  const draw = (): bigint => (BigInt(next()) << 32n) | BigInt(next() >>> 0);
  const first = values.map(draw);
  const second = values.map(draw);
  const rest = values.map((value, i) =>
    BigInt.asIntN(
      64,
      form === 'boolean' ? value ^ first[i] ^ second[i] : value - first[i] - second[i],
    ),
  );
  const slots = [rest, first, second];
  const part = (i: number, by: bigint): Shares => ({
    own: words(slots[i].map((value) => value >> by)),
    next: words(slots[(i + 1) % 3].map((value) => value >> by)),
  });
  return [0, 1, 2].map((i) => ({ low: part(i, 0n), high: part(i, 32n) })) as Three<Wide>;
}

/** Shares the tables of a plan as their owners would; `wide`: summed 32-bit columns come with `#hi`. */
export function shareTables(
  plan: Plan,
  tables: readonly (readonly OwnerRows[])[],
  { seed, wide = false }: { seed: number; wide?: boolean },
): Three<Inputs> {
  const next = random(seed);
  const shared = tables.map((owners, table) => {
    const rows = owners.flat();
    const columns = plan.columns.filter((column) => column.table === table);
    const parts = columns.map((column) => {
      const values = rows.map((row) => row[column.name]);
      const bits64 = column.storedBits === 64;
      const one = (form: Form, is64: boolean): Three<Shares | Wide> =>
        is64 ? shareWide(form, values, next) : share(form, words(values), next);
      return {
        name: column.name,
        arithmetic: column.arithmetic
          ? one('arithmetic', bits64 || (wide && column.wide))
          : undefined,
        boolean: column.boolean ? one('boolean', bits64) : undefined,
      };
    });
    return [0, 1, 2].map((i): TableInput => ({
      rows: rows.length,
      owners: owners.map((own) => own.length),
      columns: new Map(
        parts.map(({ name, arithmetic, boolean }) => [
          name,
          { arithmetic: arithmetic?.[i], boolean: boolean?.[i] },
        ]),
      ),
    }));
  });
  const inputs = (i: number): Inputs => ({ tables: shared.map((parts) => parts[i]) });
  return [inputs(0), inputs(1), inputs(2)];
}

/** Runs a plan with three parties in this thread. */
export const runPlan = (plan: Plan, inputs: Three<Inputs>, seed: number): Outcome<ResultShares> =>
  simulate(parties(seed), (party, i) => execute(plan, inputs[i], party));

/** Opens the stored columns of a result: live rows as integers, null where a cell is held back. */
export function openRows(plan: Plan, results: Three<ResultShares>): (bigint | null)[][] {
  const at = (header: string): Int32Array | undefined => {
    const k = results[0].columns.findIndex((column) => column.header === header);
    if (k < 0) return undefined;
    const form = header.startsWith('[') ? 'boolean' : 'arithmetic';
    return reveal(
      form,
      results.map(({ columns }) => columns[k].words),
    );
  };
  const wide = (name: string, form: Form): bigint[] => {
    const header = (suffix: string): string =>
      form === 'boolean' ? `[${name}${suffix}]` : `${name}${suffix}`;
    const [low, high] = ['', '#hi'].map(header).map((each) => {
      const k = results[0].columns.findIndex((column) => column.header === each);
      return results.map(({ columns }) => columns[k].words.own);
    });
    return Array.from({ length: results[0].rows }, (_, row) => {
      const slots = low.map((slot, i) => (BigInt(high[i][row]) << 32n) | BigInt(slot[row] >>> 0));
      const value = slots.reduce((a, b) => (form === 'boolean' ? a ^ b : a + b));
      return BigInt.asIntN(64, value);
    });
  };
  const columns = resultColumns(plan).flatMap((column) => {
    if ('opening' in column) return [];
    const { name, form, bits, validity } = column;
    const narrow = at(form === 'boolean' ? `[${name}]` : name);
    const values = bits === 64 ? wide(name, form) : Array.from(narrow ?? [], BigInt);
    const shown = validity ? at(`[#V:${name}]`) : undefined;
    return [values.map((value, row) => (shown && shown[row] === 0 ? null : value))];
  });
  const valid = at('[#V]') ?? [];
  return Array.from(valid, (bit, row) => ({ bit, row }))
    .filter(({ bit }) => bit === 1)
    .map(({ row }) => columns.map((column) => column[row]));
}
