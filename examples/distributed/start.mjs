// Starts every service as processes of their own against DATABASE_URL and KAFKA_BROKERS:
//   node examples/distributed/start.mjs [--replicas 2] [--data .glacis] [--offset 0]
// Ends them all at SIGINT or SIGTERM, and when one of them ends by itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { deployment } from './deployment.mjs';

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '1' },
    data: { type: 'string', default: '.glacis' },
    offset: { type: 'string', default: '0' },
  },
});
const programs = deployment({
  replicas: Number(values.replicas),
  dataDir: values.data,
  offset: Number(values.offset),
});

for (const name of ['DATABASE_URL', 'KAFKA_BROKERS']) {
  if (process.env[name]) continue;
  console.error(`${name} is not set`);
  process.exit(1);
}

let stopping = false;
const children = programs.map(({ name, script, env }) => {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => console.log(`${name}: ${line}`));
  }
  child.once('exit', (code, signal) => {
    if (!stopping) console.error(`${name} ended by itself: ${signal ?? code}`);
    stop(1);
  });
  return child;
});

function stop(code) {
  if (stopping) return;
  stopping = true;
  process.exitCode = code;
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  for (const child of running) child.kill('SIGTERM');
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(0));
await Promise.all(children.map((child) => once(child, 'exit')));
