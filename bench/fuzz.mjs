// `npm run fuzz`: input that nobody should send. Each prints its seed, and exits 1 on the first breach with what led to it.
//   npm run fuzz                              bodies and paths of every REST route (GLACIS_FUZZ_RUNS for each, default 200)
//   npm run fuzz -- graphs [runs] [seed]      graphs through every rule (100,000 by default)
import { spawnSync } from 'node:child_process';

const [first, ...rest] = process.argv.slice(2);
if (first === 'graphs') {
  const { fuzzGraphs } = await import('./fuzz/graphs.mjs');
  const [runs = 100_000, seed = Math.floor(Math.random() * 2 ** 31)] = rest.map(Number);
  process.exitCode = await fuzzGraphs(runs, seed);
} else {
  const env = { ...process.env, GLACIS_FUZZ_RUNS: process.env.GLACIS_FUZZ_RUNS ?? '200' };
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];
  const tests = ['--selectProjects', 'glacis', '--testPathPatterns', 'bad-input'];
  const { status } = spawnSync(process.execPath, [...jest, ...tests], { stdio: 'inherit', env });
  process.exitCode = status ?? 1;
}
