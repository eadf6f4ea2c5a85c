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

const optionsOf = (random) => ({
  minGroupSize: random.pick([1, 1, 1, 2, 3, 5]),
  minOwners: random.pick([1, 1, 1, 1, 2]),
  maxSharePercent: random.pick([100, 100, 100, 70]),
  residual: random.chance(0.5),
  rawRows: 'allow',
  maxRows: 4096,
});

/** The columns that identify a member: the declared one, of the unique side first, or the key of the join. */
function unitsOf(tables) {
  const declared = tables
    .toReversed()
    .flatMap(({ name, columns }) =>
      columns.filter(({ unit }) => unit).map((column) => `${name}.${column.name}`),
    );
  if (declared.length > 0) return declared.slice(0, 1);
  return tables.length > 1 ? [`${tables[1].name}.id`] : [];
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

async function check(duck, random, run) {
  const tables = tablesOf(random);
  await duck.load(tables);
  const query = new Writer(random, tables).query();
  const sql = sqlOf(query);
  const options = optionsOf(random);
  const { plan, refusal } = compileOrRefuse(sql, tables, options);
  if (refusal) return { sql, refused: refusal.code, fault: misplaced(sql, refusal) };
  const ordered = plan.tables.map((name) => tables.find((table) => table.name === name));
  const result = await opened(plan, await inputsOf(plan, tables, random), run);
  const rules = { ...options, owners: ordered.map(({ owners }) => owners.length) };
  const scales = plan.outputs.map(({ type }) => type.scale);
  const wanted = await expected(duck, query, {
    tables: ordered,
    units: unitsOf(tables),
    rules,
    scales,
  });
  return { sql, options, rows: result.rows.length, fault: difference(query, wanted, result) };
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

/** Checks the query of one seed and counts it; what is wrong with it is printed. */
async function tallied(tally, duck, seed, run) {
  const outcome = await check(duck, new Random(seed), run).catch((error) => ({
    fault: error.stack,
  }));
  const { sql = '', refused, fault, rows, options } = outcome;
  if (fault) console.log(`seed ${seed}: ${fault}\n${sql}\n${JSON.stringify(options) ?? ''}`);
  if (fault) tally.failed += 1;
  else if (refused) tally.refused += 1;
  else tally.passed += 1;
  if (rows === 0) tally.empty += 1;
}

/** Runs so many accepted queries; each has a seed of its own, with which it can be run alone. */
export async function main(args) {
  const [first = '1', count = '200'] = args.filter((arg) => !arg.startsWith('--'));
  const { run, end } = await startParties(args.includes('--one-thread'));
  const duck = await Duck.open();
  const tally = { passed: 0, failed: 0, refused: 0, empty: 0 };
  for (let seed = Number(first); tally.passed + tally.failed < Number(count); seed += 1)
    await tallied(tally, duck, seed, run);
  duck.close();
  await end();
  console.log(
    `${tally.refused} queries refused with their place, ${tally.empty} results without rows`,
  );
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed === 0;
}
