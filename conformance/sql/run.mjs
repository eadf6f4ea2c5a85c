// `npm run conformance -- sql [seed] [queries] [--one-thread]`: random queries of the grammar over random tables of up to three owners, shared,
// computed by three parties (processes with TLS, or in step in this thread), opened, and compared with DuckDB and a plain evaluation of the disclosure rules. Every refusal has
// its place in the text. Exit 1 where anything differs.
import { ThreeParties } from '../../bench/support/three-parties.mjs';
import { compiled, inOneThread, inputsOf, opened } from './engine.mjs';
import { difference } from './compare.mjs';
import { Duck } from './duck.mjs';
import { expected } from './oracle.mjs';
import { sqlOf, Writer } from './queries.mjs';
import { Random } from './random.mjs';
import { tablesOf } from './tables.mjs';
import { tpch } from './tpch.mjs';

const optionsOf = (random) => ({
  minGroupSize: random.pick([1, 1, 1, 2, 3, 5]),
  minOwners: random.pick([1, 1, 1, 1, 2]),
  maxSharePercent: random.pick([100, 100, 100, 70]),
  residual: random.chance(0.5),
  rawRows: 'allow',
  maxRows: 4096,
});

const isUnique = ({ columns }) => columns.some(({ unique }) => unique);

/** The columns that identify a member: the declared one, of the unique side first, or the key of the join. */
function unitsOf(tables) {
  const declared = tables
    .toSorted((a, b) => Number(isUnique(b)) - Number(isUnique(a)))
    .flatMap(({ name, columns }) =>
      columns.filter(({ unit }) => unit).map((column) => `${name}.${column.name}`),
    );
  if (declared.length > 0) return declared.slice(0, 1);
  const key = tables.flatMap(({ name, columns }) =>
    columns.filter(({ unique }) => unique).map((column) => `${name}.${column.name}`),
  );
  return tables.length > 1 ? key : [];
}

/** What is wrong with the place of a refusal. */
export function misplaced(sql, { at, code }) {
  const { offset, line, column, token } = at;
  if (sql.slice(offset, offset + token.length) !== token) return `${code}: the token is not there`;
  const before = sql.slice(0, offset).split('\n');
  const placed = before.length === line && before.at(-1).length + 1 === column;
  return placed ? undefined : `${code}: line ${line}, column ${column} is not offset ${offset}`;
}

function compileOrRefuse(sql, tables, options) {
  try {
    return compiled(sql, tables, options);
  } catch (error) {
    if (error.name !== 'Refusal') throw error;
    return { refusal: error };
  }
}

/** Runs one query on both sides. */
async function compared(duck, query, { tables, options, random, run }) {
  const sql = sqlOf(query);
  const { plan, refusal } = compileOrRefuse(sql, tables, options);
  if (refusal) return { sql, refused: refusal.code, fault: misplaced(sql, refusal) };
  const ordered = plan.tables.map((name) => tables.find((table) => table.name === name));
  const result = await opened(plan, await inputsOf(plan, tables, random), run);
  const rules = { ...options, owners: ordered.map(({ owners }) => owners.length) };
  const scales = plan.outputs.map(({ type }) => type.scale);
  const asked = { tables: ordered, units: unitsOf(ordered), rules, scales };
  const wanted = await expected(duck, query, asked);
  return { sql, options, rows: result.rows.length, fault: difference(query, wanted, result) };
}

async function check(duck, random, run) {
  const tables = tablesOf(random);
  await duck.load(tables);
  const query = new Writer(random, tables).query();
  return compared(duck, query, { tables, options: optionsOf(random), random, run });
}

/** Three processes for all queries, or none. */
async function startParties(oneThread) {
  if (oneThread) return { run: inOneThread, end: async () => undefined };
  const parties = await ThreeParties.start();
  const run = async (plan, inputs) => {
    const answers = await parties.ask((party) => ({ plan, inputs: inputs[party] }));
    return { results: answers.map(({ result }) => result) };
  };
  return { run, end: () => parties.end() };
}

/** Counts an outcome; what is wrong with it is printed. */
function count(tally, name, { sql = '', refused, fault, rows, options }) {
  if (fault) console.log(`${name}: ${fault}\n${sql}\n${JSON.stringify(options) ?? ''}`);
  if (fault) tally.failed += 1;
  else if (refused) tally.refused += 1;
  else tally.passed += 1;
  if (rows === 0) tally.empty += 1;
}

const failed = (error) => ({ fault: error.stack });

/** Each query has a seed of its own, with which it can be run alone. */
async function randomQueries(duck, run, tally, [first = '1', queries = '200']) {
  for (let seed = Number(first); tally.passed + tally.failed < Number(queries); seed += 1)
    count(tally, `seed ${seed}`, await check(duck, new Random(seed), run).catch(failed));
}

async function tpchQueries(duck, run, tally) {
  const { tables, queries } = await tpch();
  await duck.load(tables);
  const random = new Random(1);
  const rules = { minOwners: 1, maxSharePercent: 100, residual: true, maxRows: 16_384 };
  for (const [name, { floor = 5, ...query }] of Object.entries(queries)) {
    const options = { ...rules, minGroupSize: floor };
    const outcome = compared(duck, query, { tables, options, random, run });
    count(tally, name, await outcome.catch(failed));
  }
}

/** @returns whether all queries passed */
export async function main(args) {
  const given = args.filter((arg) => !arg.startsWith('--'));
  const { run, end } = await startParties(args.includes('--one-thread'));
  const duck = await Duck.open();
  const tally = { passed: 0, failed: 0, refused: 0, empty: 0 };
  if (given[0] === 'tpch') await tpchQueries(duck, run, tally);
  else await randomQueries(duck, run, tally, given);
  duck.close();
  await end();
  const { passed, refused, empty } = tally;
  console.log(`${refused} queries refused with their place, ${empty} results without rows`);
  console.log(`${passed} passed, ${tally.failed} failed`);
  return tally.failed === 0;
}
