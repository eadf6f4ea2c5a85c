import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

// `npm run fuzz -- graphs` makes 100,000 of them with a seed of its own.
test('issue 6, figure 6: no mutated graph crashes a rule, and the schema says what Ajv says', () => {
  const root = join(import.meta.dirname, '../../..');
  const args = ['bench/fuzz.mjs', 'graphs', '3000', '1'];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(stdout).toMatch(/^seed 1\ngraphs\.fuzzed 3000 runs/);
  expect(status).toBe(0);
});
