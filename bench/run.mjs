// `npm run bench -- NAME [arguments]`: runs bench/NAME.mjs, whose figures are the lines `name value unit` of its output,
// and compares them with bench/ranges.json, where a variant such as `events --kafka` has ranges of its own. Exit 1 when a figure is outside of its range or missing.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const own = new URL('.', import.meta.url);
const [name, ...args] = process.argv.slice(2);
const names = readdirSync(own)
  .filter((file) => file.endsWith('.mjs') && file !== 'run.mjs')
  .map((file) => file.slice(0, -4));

if (!name || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [arguments], NAME one of ${names.join(', ')}`);
  process.exit(2);
}

const figure = /^([a-z][a-z0-9_]*) (-?\d+(?:\.\d+)?) (\S+)$/;
const figures = new Map();
const bench = spawn(process.execPath, [new URL(`${name}.mjs`, own).pathname, ...args], {
  stdio: ['inherit', 'pipe', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => bench.kill(signal));
const exited = new Promise((resolve) => bench.on('exit', (code) => resolve(code ?? 1)));
for await (const line of createInterface({ input: bench.stdout })) {
  console.log(line);
  const [, key, value] = figure.exec(line) ?? [];
  if (key) figures.set(key, Number(value));
}
const code = await exited;
if (code !== 0) process.exit(code);

const file = new URL('ranges.json', own);
const variant = [name, ...args.filter((arg) => arg.startsWith('--'))].join(' ');
const ranges = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})[variant] ?? {};
const faults = Object.entries(ranges).flatMap(([key, { min = -Infinity, max = Infinity }]) => {
  const value = figures.get(key);
  if (value === undefined) return [`${key} was not measured`];
  return value < min || value > max ? [`${key} is ${value}, outside of ${min} to ${max}`] : [];
});
for (const fault of faults) console.error(`OUT OF RANGE ${fault}`);
if (faults.length === 0 && Object.keys(ranges).length > 0)
  console.log(`${Object.keys(ranges).length} figures within their ranges`);
process.exit(faults.length === 0 ? 0 : 1);
