// Authenticated `GET /backends/{id}` through the door beside a bare Fastify route that returns the same bytes, in turn
// and in one run; the load generator is a process of its own. `npm run bench -- gateway [seconds per round]`
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Fastify from 'fastify';
import { call, withSuite } from './support/suite.mjs';

const self = fileURLToPath(import.meta.url);
const seconds = Number(process.argv[2] ?? 5);
const rounds = 5;
const connections = 64;

/** The bare route: what the framework under the door can do at most with these bytes. */
async function serveBare(bytes) {
  const fastify = Fastify();
  fastify.get('/backends/:id', (_request, reply) =>
    reply.header('content-type', 'application/json').send(bytes),
  );
  console.log(await fastify.listen({ port: 0, host: '127.0.0.1' }));
}

/** Requests per second of one round, as the load generator counts them. */
async function load(url, token) {
  const script = fileURLToPath(
    new URL('../node_modules/autocannon/autocannon.js', import.meta.url),
  );
  const args = [
    '--json',
    '-c',
    connections,
    '-d',
    seconds,
    '-H',
    `authorization=Bearer ${token}`,
    url,
  ];
  const child = spawn(process.execPath, [script, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  const result = JSON.parse(text);
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} requests failed at ${url}`);
  return { rate: result.requests.average, p99: result.latency.p99 };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function compare(suite) {
  const created = await call(suite, 'POST', '/backends', {
    name: 'my dell server',
    description: 'some description',
    address: '192.168.100.4',
  });
  const path = created.headers.get('location');
  const bytes = await (await call(suite, 'GET', path)).text();
  const bare = spawn(process.execPath, [self, 'bare', bytes], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const address = await new Promise((resolve) => {
      bare.stdout.once('data', (line) => resolve(String(line).trim()));
    });
    const results = { door: [], bare: [] };
    await load(suite.door + path, suite.token);
    for (let round = 0; round < rounds; round += 1) {
      results.door.push(await load(suite.door + path, suite.token));
      results.bare.push(await load(address + path, suite.token));
    }
    report(results);
  } finally {
    bare.kill('SIGTERM');
  }
}

function report({ door, bare }) {
  const ratios = door.map(({ rate }, round) => rate / bare[round].rate);
  console.log(`gateway_get_backend ${median(door.map(({ rate }) => rate)).toFixed(0)} req/s`);
  console.log(`gateway_bare_fastify ${median(bare.map(({ rate }) => rate)).toFixed(0)} req/s`);
  console.log(`gateway_to_bare_ratio ${median(ratios).toFixed(3)} ratio`);
  console.log(`gateway_get_backend_p99 ${median(door.map(({ p99 }) => p99)).toFixed(0)} ms`);
}

if (process.argv[2] === 'bare') await serveBare(process.argv[3]);
else await withSuite(compare);
