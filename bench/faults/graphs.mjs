// `npm run faults -- graphs [seed] [points]`: the operator killed -9 at random moments of a graph's life, in a cluster of its own
// (apps/operator/test/graphs-kills.cluster.ts). It prints a line per kill, and exits 1 where the end is another.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const [, seed = '1', points = '50'] = process.argv.slice(2);
const jest = 'node_modules/jest/bin/jest.js';
const args = ['--experimental-vm-modules', jest, '-c', 'jest.cluster.config.mjs'];
const child = spawn(process.execPath, [...args, '--testPathPatterns', 'graphs-kills'], {
  stdio: 'inherit',
  env: { ...process.env, GLACIS_FAULTS_SEED: seed, GLACIS_FAULTS_POINTS: points },
});
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
