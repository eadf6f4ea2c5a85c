// `npm run check`: everything that can be said of the code without running its tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Two lanes at a time, as the longest step is one thread. What is generated is compared by programs that types have built. */
const lanes = [
  [`format prettier --check --cache --cache-strategy content --log-level warn .`.split(' ')],
  [
    ['lint', 'oxlint', '--deny-warnings', '.'],
    ['types', 'nx', 'run-many', '-t', 'build', 'typecheck', '--output-style', 'static'],
    ['house rules', 'node', 'tools/house-rules.mjs'],
    ['lock file', 'node', 'tools/lock-file.mjs'],
    ['documents', 'node', 'tools/docs.mjs'],
    ['generated files', 'node', 'tools/generate.mjs', '--check'],
  ],
];

async function run([name, command, ...args]) {
  const started = process.hrtime.bigint();
  const file = command === 'node' ? process.execPath : `node_modules/.bin/${command}`;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'}  ${name}  ${seconds.toFixed(1)} s`);
  if (status === 0) return true;
  console.log(stdout + stderr);
  return false;
}

async function follow(lane) {
  const passed = [];
  for (const step of lane) passed.push(await run(step));
  return passed;
}

const passed = await Promise.all(lanes.map(follow));
process.exit(passed.flat().every(Boolean) ? 0 : 1);
