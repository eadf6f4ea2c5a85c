// `npm run check`: everything that can be said of the code without running its tests.
import { spawnSync } from 'node:child_process';

const steps = [
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['lint', 'oxlint', '--deny-warnings', '.'],
  ['types', 'nx', 'run-many', '-t', 'build', 'typecheck', '--output-style', 'static'],
  ['house rules', 'node', 'tools/house-rules.mjs'],
  ['lock file', 'node', 'tools/lock-file.mjs'],
  ['documents', 'node', 'tools/docs.mjs'],
  ['generated files', 'node', 'tools/generate.mjs', '--check'],
];

let failed = 0;
for (const [name, command, ...args] of steps) {
  const started = process.hrtime.bigint();
  const local = `node_modules/.bin/${command}`;
  const { status, stdout, stderr } = spawnSync(
    command === 'node' ? process.execPath : local,
    args,
    {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    },
  );
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'}  ${name}  ${seconds.toFixed(1)} s`);
  if (status !== 0) {
    failed += 1;
    console.log(`${stdout ?? ''}${stderr ?? ''}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
