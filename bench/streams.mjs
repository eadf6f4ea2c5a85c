// Manager streams of the suite as the clients see them: from a revocation to the cut of its stream while 1,000 others
// live, and the memory of 2,000 idle streams. Every stream is a mutual-TLS connection of its own from an address of its
// own, held by processes apart from the suite. `npm run bench -- streams [samples]`; needs Linux and openssl.
// `npm run bench -- streams --replicas 2 [samples]`: the same where the services are apart, on Kafka, streams and revocations
// spread over the replicas; and the memory of 10,000 idle streams on one of them.
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { each, load, percentile } from './support/load.mjs';
import { memoryOf } from './support/memory.mjs';
import { withReplicas } from './support/replicas.mjs';
import { call, startOn } from './support/suite.mjs';

const { values, positionals } = parseArgs({
  options: { replicas: { type: 'string' } },
  allowPositionals: true,
});
const replicas = Number(values.replicas ?? 0);
const samples = Number(positionals[0] ?? 500);
const liveStreams = 1_000;
const [idleStreams, idleLimit] = replicas > 0 ? [10_000, 400] : [2_000, 200];
const cutLimit = replicas > 0 ? 500 : 250;
const processes = 4;

const print = (figure, value, unit, digits = 1) =>
  console.log(`${figure} ${value.toFixed(digits)} ${unit}`);

/** So many hosts with their certificates, all with one key. */
async function enrol(suite, count, dir) {
  const keyFile = join(dir, 'key.pem');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const request = ['req', '-new', ...curve, '-nodes', '-keyout', keyFile, '-subj', '/CN=manager'];
  const csr = execFileSync('openssl', request, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${suite.token}` };
  const post = (path, body) => ({ path, headers, body: JSON.stringify(body) });
  const clients = Array.from({ length: count }, (_, i) => ({
    name: `host-${i}`,
    source: `127.1.${i >> 8}.${i & 255}`,
  }));
  const bodies = clients.map(({ name, source: address }) => post('/backends', { name, address }));
  await load(suite.door, { connections: 16, next: each(bodies), expect: 201 });
  const backends = await allBackends(suite, count);
  const byId = new Map();
  const requests = clients.map((client) => {
    const id = backends.get(client.name);
    byId.set(id, client);
    return post(`/certs/csrs/${id}`, { csr });
  });
  const onReply = (body) => {
    const reply = JSON.parse(body);
    Object.assign(byId.get(reply.entity_id), {
      serial: reply.serial_number,
      cert: reply.certificate,
    });
  };
  await load(suite.door, { connections: 16, next: each(requests), expect: 201, onReply });
  const ca = await (await call(suite, 'GET', '/certs/ca?only=roots')).text();
  return { clients, key: await readFile(keyFile, 'utf8'), ca };
}

async function allBackends(suite, count) {
  const found = new Map();
  for (let offset = 0; offset < count; offset += 100) {
    const page = await call(suite, 'GET', `/backends?limit=100&offset=${offset}`);
    for (const { name, id } of (await page.json()).backends) found.set(name, id);
  }
  return found;
}

/** Client processes with all streams open; `heard` is told of each Terminate and each cut. */
class Fleet {
  heard = () => undefined;

  /** @param addresses `host:port` of the replicas that share the streams */
  static async connect(addresses, { clients, key, ca }) {
    const fleet = new Fleet();
    const script = new URL('support/stream-clients.mjs', import.meta.url).pathname;
    fleet.processes = Array.from({ length: processes }, () => fork(script));
    for (const one of fleet.processes) one.on('message', (message) => fleet.heard(message));
    const counts = await Promise.all(
      fleet.processes.map((one, at) => {
        const own = clients.filter((_, i) => i % processes === at);
        const [host, port] = addresses[at % addresses.length].split(':');
        one.send({ connect: { host, port: Number(port), ca, key, clients: own } });
        return fleet.reply(one, 'opened');
      }),
    );
    fleet.size = counts.reduce((sum, opened) => sum + opened, 0);
    return fleet;
  }

  /** Streams whose connection answers a ping. */
  async answering() {
    const counts = await Promise.all(
      this.processes.map((one) => {
        one.send({ check: true });
        return this.reply(one, 'answering');
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  end() {
    for (const one of this.processes) one.kill();
  }

  reply(one, key) {
    return new Promise((resolve, reject) => {
      one.on('message', (message) => {
        if (message.failed) reject(new Error(message.failed));
        if (message[key] !== undefined) resolve(message[key]);
      });
      one.once('exit', () => reject(new Error('a client process has ended')));
    });
  }
}

/** Revokes one certificate after another, at the doors in turn, and waits each time until its client has seen the end. */
async function measureCuts({ doors, token }, fleet, clients) {
  const terminates = [];
  const cuts = [];
  let others = 0;
  for (const [at, { name, serial }] of clients.entries()) {
    const door = doors[at % doors.length];
    const began = process.hrtime.bigint();
    const since = (at) => Number(BigInt(at) - began) / 1e6;
    const cut = new Promise((resolve) => {
      fleet.heard = (message) => {
        if (message.name !== name) others += message.cut ? 1 : 0;
        else if (message.terminated) terminates.push(since(message.at));
        else if (message.cut) resolve(since(message.at));
      };
    });
    await call({ door, token }, 'PATCH', `/certs/${serial}/revoke`);
    cuts.push(await cut);
  }
  const sorted = [terminates, cuts].map((values) => values.toSorted((a, b) => a - b));
  return { terminates: sorted[0], cuts: sorted[1], others };
}

async function revocations(suite, dir) {
  const fleetOf = await enrol(suite, liveStreams + samples, dir);
  const began = performance.now();
  const fleet = await Fleet.connect(suite.managers, fleetOf);
  const seconds = (performance.now() - began) / 1_000;
  print('streams_opened', fleet.size, 'streams', 0);
  print('streams_open_rate', fleet.size / seconds, 'streams/s', 0);
  // Neighbours differ in the replica that holds their stream.
  const revoked = fleetOf.clients.slice(0, samples);
  const { terminates, cuts, others } = await measureCuts(suite, fleet, revoked);
  print('streams_revoke_to_terminate_p50', percentile(terminates, 0.5), 'ms');
  print('streams_revoke_to_terminate_p99', percentile(terminates, 0.99), 'ms');
  print('streams_revoke_to_cut_p50', percentile(cuts, 0.5), 'ms');
  print('streams_revoke_to_cut_p99', percentile(cuts, 0.99), 'ms');
  print('streams_revoke_to_cut_p99_limit', cutLimit, 'ms', 0);
  print('streams_revoke_to_cut_max', percentile(cuts, 1), 'ms');
  print('streams_others_cut', others, 'streams', 0);
  print('streams_left_answering', await fleet.answering(), 'streams', 0);
  fleet.end();
}

/**
 * Memory of so many idle streams beside what Node's TLS and HTTP/2 alone hold for them.
 * @param pid of the process that holds the streams, started anew so that nothing of the enrolment is in its memory
 */
async function memory(address, pid, { fleetOf, dir }) {
  const own = await held(address, pid, fleetOf);
  print('streams_idle', own.streams, 'streams', 0);
  print('streams_idle_suite_memory', own.before, 'MB');
  print('streams_idle_memory', own.grown, 'MB');
  print('streams_idle_memory_limit', idleLimit, 'MB', 0);
  print('streams_idle_rss', own.rss, 'MB');
  const bare = await bareMemory(fleetOf, dir);
  print('streams_idle_bare_http2_memory', bare.grown, 'MB');
  print('streams_idle_to_bare_http2_ratio', own.grown / bare.grown, 'ratio', 2);
}

async function held(address, pid, fleetOf) {
  await sleep(5_000);
  const idle = memoryOf(pid);
  const fleet = await Fleet.connect([address], fleetOf);
  await sleep(20_000);
  const full = memoryOf(pid);
  const streams = await fleet.answering();
  fleet.end();
  return { streams, before: idle.pss, grown: full.pss - idle.pss, rss: full.rss - idle.rss };
}

async function bareMemory(fleetOf, dir) {
  const file = (name) => join(dir, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', file('bare.key'), '-out', file('bare.crt')];
  execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', ...files, ...name], {
    stdio: 'ignore',
  });
  const ca = await readFile(file('bare.crt'), 'utf8');
  await writeFile(file('bare.pem'), (await readFile(file('bare.key'), 'utf8')) + ca);
  await writeFile(file('clients.pem'), fleetOf.ca);
  const script = new URL('support/bare-streams.mjs', import.meta.url).pathname;
  const bare = spawn(process.execPath, [script, file('bare.pem'), file('clients.pem')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(bare.stdout, 'data');
    return await held(String(line).trim(), bare.pid, { ...fleetOf, ca });
  } finally {
    bare.kill('SIGTERM');
  }
}

/** Every service in one process. */
async function embedded(dir) {
  const on = async (name, work) => {
    const started = await startOn(join(dir, name));
    const { child, door, token, managers } = started;
    const suite = { door, doors: [door], token, managers: [managers], pid: child.pid };
    try {
      return await work(suite);
    } finally {
      child.kill('SIGTERM');
      await started.exited;
    }
  };
  await on('cuts', (suite) => revocations(suite, dir));
  const fleetOf = await on('idle', (suite) => enrol(suite, idleStreams, dir));
  await on('idle', ({ managers, pid }) => memory(managers[0], pid, { fleetOf, dir }));
}

/** The services apart. */
async function apart(dir) {
  const seen = ({ urls, token, managers }) => ({
    door: urls.gateway[0],
    doors: urls.gateway,
    token,
    managers,
  });
  await withReplicas(replicas, (suite) => revocations(seen(suite), dir));
  await withReplicas(replicas, async (suite) => {
    const fleetOf = await enrol(seen(suite), idleStreams, dir);
    const holder = suite.replica('backends', 0);
    await holder.stop();
    await holder.start();
    await memory(suite.managers[0], holder.pid, { fleetOf, dir });
  });
}

const dir = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
try {
  await (replicas > 0 ? apart(dir) : embedded(dir));
} finally {
  await rm(dir, { recursive: true, force: true });
}
