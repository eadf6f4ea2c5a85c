// One file of 256 MiB through the door into sealed local buckets, beside @tus/server on the same machine, in turn and in
// one run; the client is a process of its own and the same for both. `npm run bench -- upload [rounds]`
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownCpuMs } from './support/cpu.mjs';
import { memoryOf } from './support/memory.mjs';
import { withSuite } from './support/suite.mjs';

const self = fileURLToPath(import.meta.url);
const bytes = 256 * 1024 * 1024;
const megabytes = bytes / 1e6;

/** The client: sends so many bytes and prints how many seconds it took until the answer. */
async function send(method, url, headers) {
  const chunk = Buffer.alloc(1 << 20, '1234,5678\n');
  const began = performance.now();
  const sending = request(url, { method, headers: { ...headers, 'content-length': bytes } });
  const answered = once(sending, 'response');
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    if (!sending.write(chunk)) await once(sending, 'drain');
  }
  sending.end();
  const [answer] = await answered;
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode >= 300) throw new Error(`${method}: ${answer.statusCode}`);
  console.log((performance.now() - began) / 1000);
}

/** One upload by a client process: MB/s, ms of the server's processor time, and MB that its memory grew at most. */
async function upload(pid, method, url, headers) {
  const before = { memory: memoryOf(pid).rss, cpu: ownCpuMs(pid) };
  let most = before.memory;
  const watch = setInterval(() => (most = Math.max(most, memoryOf(pid).rss)), 20);
  const child = spawn(process.execPath, [self, 'client', method, url, JSON.stringify(headers)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout) text += part;
  clearInterval(watch);
  if (child.exitCode !== 0 && (await once(child, 'exit'))[0] !== 0) throw new Error('no upload');
  return {
    rate: megabytes / Number(text),
    cpu: ownCpuMs(pid) - before.cpu,
    growth: most - before.memory,
  };
}

async function post(url, body) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
}

/** Links of one upload set, one for each party. */
async function links({ door }) {
  const { job_id } = await post(`${door}/create_job`, {
    analysis_name: 'upload',
    query_sql: 'SELECT SUM(a) FROM data',
    security_level: 'semi',
    cloud_providers: ['aws', 'gcp', 'azure'],
    schema: { a: 'unit' },
  });
  const owner = { job_id, data_owner: 'owner' };
  return (await post(`${door}/register_data_owner`, owner)).presigned_urls;
}

async function startTus(folder) {
  const script = fileURLToPath(new URL('support/bare-tus.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, folder], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, url: String(line).trim() };
}

/** A resumable upload is created first, then takes its bytes (tus 1.0.0). */
async function tusLink(url) {
  const version = { 'tus-resumable': '1.0.0' };
  const headers = { ...version, 'upload-length': String(bytes) };
  const made = await fetch(url, { method: 'POST', headers });
  const patch = { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  return { url: made.headers.get('location'), headers: { ...version, ...patch } };
}

async function empty(folder) {
  for (const file of await readdir(folder)) await rm(join(folder, file));
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function compare(suite, rounds) {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-tus-'));
  const tus = await startTus(folder);
  try {
    const results = { door: [], tus: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const url of await links(suite)) {
        const csv = { 'content-type': 'text/csv' };
        results.door.push(await upload(suite.child.pid, 'PUT', url, csv));
        const peer = await tusLink(tus.url);
        results.tus.push(await upload(tus.child.pid, 'PATCH', peer.url, peer.headers));
        await empty(folder);
      }
    }
    report(results);
  } finally {
    tus.child.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

function report({ door, tus }) {
  const of = (results, key) => median(results.map((each) => each[key]));
  const best = (results) => Math.max(...results.map(({ rate }) => rate));
  console.log(`upload_sealed ${of(door, 'rate').toFixed(0)} MB/s`);
  console.log(`upload_sealed_best ${best(door).toFixed(0)} MB/s`);
  console.log(`upload_sealed_cpu ${of(door, 'cpu').toFixed(0)} ms`);
  console.log(
    `upload_sealed_growth ${Math.max(...door.map(({ growth }) => growth)).toFixed(0)} MB`,
  );
  console.log(`upload_tus_unsealed ${of(tus, 'rate').toFixed(0)} MB/s`);
  console.log(`upload_tus_unsealed_cpu ${of(tus, 'cpu').toFixed(0)} ms`);
  const ratios = door.map(({ rate }, i) => rate / tus[i].rate);
  console.log(`upload_sealed_to_tus_ratio ${median(ratios).toFixed(2)} x`);
}

const [role, ...args] = process.argv.slice(2);
if (role === 'client') {
  await send(args[0], args[1], JSON.parse(args[2]));
} else {
  await withSuite((suite) => compare(suite, Number(role ?? 3)));
}
