// `npm run conformance -- FILE…`: recorded cases of Rampart (rampart.mjs). `npm run conformance -- sql [seed] [queries]`: random
// queries over secret shares beside DuckDB (sql/run.mjs). Exit 1 where a case failed.
const [kind, ...args] = process.argv.slice(2);
const { main } = await import(kind === 'sql' ? './sql/run.mjs' : './rampart.mjs');
process.exitCode = (await main(kind === 'sql' ? args : process.argv.slice(2))) ? 0 : 1;
