// The engine's side: owners split their own CSV files, three parties compute, the analyst opens what they export.
import { hkdfSync } from 'node:crypto';
import {
  compile,
  execute,
  keyStreams,
  Party,
  resultColumns,
  tableInput,
} from '../../libs/mpc/dist/index.js';
import {
  openResult,
  readTable,
  split,
  textHasher,
  writeCsv,
} from '../../libs/shares/dist/index.js';
import { csvOf, schemaOf } from './tables.mjs';

const SALT = 'c2FsdCBvZiB0aGUgam9i';
const MAX_ROWS = 16_384;

const hashed = async (text) =>
  BigInt.asIntN(64, BigInt(`0x${await (await textHasher(SALT))(text)}`));

/** Texts of the plan's conditions as the coordinator encodes them. */
async function hashesOf(node, found = new Map()) {
  if (typeof node !== 'object' || node === null) return found;
  if (node.op === 'hashed') for (const text of node.texts) found.set(text, await hashed(text));
  for (const member of Object.values(node)) await hashesOf(member, found);
  return found;
}

/** Share files of every owner of a table, by party; owners choose themselves whether they add `#hi` columns. */
async function filesOf(table, declarations, wide, random) {
  const sets = [];
  for (const [owner, rows] of table.owners.entries()) {
    const hash = await textHasher(SALT);
    const read = await readTable(csvOf(table, rows), declarations, { maxRows: MAX_ROWS, hash });
    if (!read.table) throw new Error(JSON.stringify(read.findings));
    const hi = random.chance(0.7) ? wide : [];
    sets.push({ owner, rows: rows.length, files: split(read.table, { table: declarations, hi }) });
  }
  return sets;
}

/** What each of the three parties has. */
export async function inputsOf(plan, tables, random) {
  const schema = schemaOf(tables);
  const hashes = await hashesOf(plan);
  const parts = [];
  for (const [index, name] of plan.tables.entries()) {
    const table = tables.find((each) => each.name === name);
    const wide = plan.columns
      .filter((column) => column.table === index && column.wide)
      .map((column) => column.name);
    const sets = await filesOf(table, schema.get(name), wide, random);
    parts.push(
      [0, 1, 2].map((party) =>
        tableInput(
          plan,
          index,
          sets.map(({ owner, rows, files }) => ({ owner, rows, columns: files[party].columns })),
          table.owners.length,
        ),
      ),
    );
  }
  return [0, 1, 2].map((party) => ({ tables: parts.map((part) => part[party]), hashes }));
}

const joined = (parts) => {
  const out = new Int32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

const key = (i) => new Uint8Array(hkdfSync('sha256', 'conformance', '', `key ${i % 3}`, 32));

/** Runs the three parties in step, in this thread. */
export function inOneThread(plan, inputs) {
  const sides = [0, 1, 2].map((id) =>
    execute(plan, inputs[id], new Party(id, keyStreams({ next: key(id), previous: key(id + 2) }))),
  );
  let states = sides.map((side) => side.next());
  let rounds = 0;
  const sent = [0, 0, 0];
  while (!states[0].done) {
    rounds += 1;
    const next = states.map(({ value }) => joined(value.toNext));
    const previous = states.map(({ value }) => joined(value.toPrevious));
    sent.forEach((words, i) => (sent[i] = words + next[i].length + previous[i].length));
    states = sides.map((side, i) =>
      side.next({ next: previous[(i + 1) % 3], previous: next[(i + 2) % 3] }),
    );
  }
  return { results: states.map(({ value }) => value), rounds, words: Math.max(...sent) };
}

/** A result as the file that a party exports (7.3). */
export const fileOf = ({ rows, columns }) =>
  writeCsv({
    rows,
    columns: new Map(
      columns.flatMap(({ header, words: { own, next } }) => [
        [`${header}_0`, own],
        [`${header}_1`, next],
      ]),
    ),
  });

export const compiled = (sql, tables, options) => compile(sql, schemaOf(tables), options);

/** @param run how three parties compute: their results, in order */
export async function opened(plan, inputs, run) {
  const { results } = await run(plan, inputs);
  return openResult(results.map(fileOf), resultColumns(plan));
}
