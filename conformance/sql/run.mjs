// `npm run conformance -- sql [seed] [queries]`: random queries of the grammar over random tables of up to three owners, shared,
// computed by three parties, opened, and compared with DuckDB and a plain evaluation of the disclosure rules. Every refusal has
// its place in the text. Exit 1 where anything differs.
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

/** Runs so many accepted queries; each has a seed of its own, with which it can be run alone. */
export async function main([first = '1', count = '200'], run = inOneThread) {
  const duck = await Duck.open();
  const tally = { passed: 0, failed: 0, refused: 0, empty: 0 };
  for (let seed = Number(first); tally.passed + tally.failed < Number(count); seed += 1) {
    let outcome;
    const random = new Random(seed);
    try {
      outcome = await check(duck, random, run);
    } catch (error) {
      outcome = { sql: '', fault: error.stack };
    }
    const { sql, refused, fault, rows, options } = outcome;
    if (fault) {
      console.log(`seed ${seed}: ${fault}\n${sql}\n${JSON.stringify(options)}`);
      tally.failed += 1;
    } else if (refused) tally.refused += 1;
    else tally.passed += 1;
    if (rows === 0) tally.empty += 1;
  }
  duck.close();
  const { passed, failed, refused, empty } = tally;
  console.log(`${refused} queries refused with their place, ${empty} results without rows`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}
