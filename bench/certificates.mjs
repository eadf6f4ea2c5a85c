// The certificates service through the door: signing of CSRs beside step-ca with its badger store in turn and in one
// run, issue with a key made here, cached OCSP, revocation with 10 and with 100,000 revoked, and the CRL of those.
// `npm run bench -- certificates [seconds per round]`; builds step-ca on its first run (needs Go) and needs openssl.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@glacis/observability';
import * as pki from '@glacis/pki';
import { startPostgres } from '@glacis/store';
import { sequence } from '../libs/pki/dist/der.js';
import { cpuMs } from './support/cpu.mjs';
import { csrs } from './support/csrs.mjs';
import { during, each, load, median, percentile } from './support/load.mjs';
import { revokeMany, revokedCount } from './support/revoked.mjs';
import { startStepCa } from './support/step-ca.mjs';
import { call, withSuite } from './support/suite.mjs';

const seconds = Number(process.argv[2] ?? 5);
const rounds = 3;
const atOnce = 16;
const name = 'bench.example.com';
const manyRevoked = 100_000;
/** Certificates before the first round: compiled code is what a service in use runs. */
const warmUp = 3_000;

const print = (figure, value, unit, digits = 0) =>
  console.log(`${figure} ${value.toFixed(digits)} ${unit}`);
const p99 = (latencies) => percentile(latencies, 0.99);

/** Runs one round and adds the server's CPU per certificate. */
async function withCpu(pids, run) {
  const before = cpuMs(...pids);
  const result = await run();
  return { ...result, cpuUs: ((cpuMs(...pids) - before) * 1000) / result.latencies.length };
}

/** Alternates the two and prints the medians of their rounds. */
async function compareSigning(suite, backend, { peer, database }) {
  const requests = csrs(2_000, name);
  const json = { 'content-type': 'application/json' };
  const own = (i) => ({
    path: `/certs/csrs/${backend}`,
    headers: { ...json, authorization: `Bearer ${suite.token}` },
    body: JSON.stringify({ csr: requests[i % requests.length] }),
  });
  const runOwn = (next) => load(suite.door, { connections: atOnce, next: next(own), expect: 201 });
  const runPeer = (next) => {
    const tokens = peer.tokens(most, name);
    const item = (i) => ({
      path: '/1.0/sign',
      headers: json,
      body: JSON.stringify({ csr: requests[i % requests.length], ott: tokens[i] }),
    });
    return load(peer.url, { connections: atOnce, next: next(item), expect: 201, ca: peer.ca });
  };
  const most = Math.max(warmUp, Math.ceil(seconds * 2_500));
  const warm = (make) => each(Array.from({ length: warmUp }, (_, i) => make(i)));
  const timed = (make) => during(seconds, make);
  await runOwn(warm);
  await runPeer(warm);
  const results = { own: [], peer: [] };
  for (let round = 0; round < rounds; round += 1) {
    results.own.push(await withCpu([suite.child.pid, database], () => runOwn(timed)));
    results.peer.push(await withCpu([peer.pid], () => runPeer(timed)));
  }
  const of = (runs, value) => median(runs.map(value));
  const rate = (run) => run.rate;
  const late = (run) => p99(run.latencies);
  const cpu = (run) => run.cpuUs;
  print('certificates_csr_signing', of(results.own, rate), 'cert/s');
  print('certificates_csr_signing_step_ca', of(results.peer, rate), 'cert/s');
  const ratios = results.own.map((run, i) => run.rate / results.peer[i].rate);
  print('certificates_csr_signing_ratio', median(ratios), 'ratio', 3);
  print('certificates_csr_signing_p99', of(results.own, late), 'ms', 1);
  print('certificates_csr_signing_step_ca_p99', of(results.peer, late), 'ms', 1);
  print('certificates_csr_signing_cpu', of(results.own, cpu), 'us/cert');
  print('certificates_csr_signing_step_ca_cpu', of(results.peer, cpu), 'us/cert');
}

/** Issues with keys made by the service; gives the serials. */
async function issue(suite, backend, next) {
  const serials = [];
  const result = await load(suite.door, {
    connections: atOnce,
    next: () => {
      const item = next();
      return (
        item && {
          path: `/certs/issue/backend/${backend}`,
          headers: { 'content-type': 'application/json', authorization: `Bearer ${suite.token}` },
          body: '{}',
        }
      );
    },
    expect: 201,
    onReply: (body) => serials.push(JSON.parse(body).serial_number),
  });
  return { ...result, serials };
}

async function measureIssue(suite, backend) {
  await issue(
    suite,
    backend,
    during(1, () => true),
  );
  const { rate, latencies, serials } = await issue(
    suite,
    backend,
    during(seconds, () => true),
  );
  print('certificates_issue', rate, 'cert/s');
  print('certificates_issue_limit', 500, 'cert/s');
  print('certificates_issue_p99', p99(latencies), 'ms', 1);
  return serials;
}

/** OCSPRequest for one certificate, without a nonce. */
const ocspRequest = (certId) => sequence(sequence(sequence(sequence(certId))));

/** OCSP by GET for certificates whose answers were asked for before. */
async function measureOcsp(suite, serials) {
  const chain = pki.fromPem(await (await call(suite, 'GET', '/certs/ca')).text());
  const hash = 'sha1';
  const issuer = chain.map(({ der }) => pki.readCertificate(der)).find((ca) => ca.pathLength === 0);
  const ids = pki.certIdHashes(issuer)[hash];
  const paths = serials.slice(0, 256).map((serial) => {
    const certId = pki.certIdDer({ hash, ...ids, serial: BigInt(serial) });
    return `/certs/ocsp/${encodeURIComponent(ocspRequest(certId).toString('base64'))}`;
  });
  const ask = (i) => ({ method: 'GET', path: paths[i % paths.length] });
  const run = (next) => load(suite.door, { connections: atOnce, next, expect: 200 });
  await run(each(paths.map((_, i) => ask(i))));
  const { rate, latencies } = await run(during(seconds, ask));
  print('certificates_ocsp_cached', rate, 'req/s');
  print('certificates_ocsp_cached_limit', 3_000, 'req/s');
  print('certificates_ocsp_cached_p99', p99(latencies), 'ms', 1);
}

/** Revokes one after another. */
async function revoke(suite, serials) {
  const headers = { authorization: `Bearer ${suite.token}` };
  const next = each(
    serials.map((serial) => ({ method: 'PATCH', path: `/certs/${serial}/revoke`, headers })),
  );
  return load(suite.door, { connections: 1, next, expect: 200 });
}

async function measureRevocation(suite, databaseUrl, serials) {
  const sample = 500;
  const take = (count) => serials.splice(0, count);
  const first = take(10);
  await revoke(suite, first);
  // Again and again without effect: compiled code, and still few revoked.
  await revoke(suite, Array(50).fill(first).flat());
  const few = await revoke(suite, take(sample));
  print('certificates_revoke_p99_few', p99(few.latencies), 'ms', 1);
  await revokeMany(databaseUrl, manyRevoked - (await revokedCount(databaseUrl)));
  await revoke(suite, take(10));
  const many = await revoke(suite, take(sample));
  print('certificates_revoke_p99_many', p99(many.latencies), 'ms', 1);
  print('certificates_revoke_p99_limit', 20, 'ms');
  const [p50Few, p50Many] = [few, many].map(({ latencies }) => percentile(latencies, 0.5));
  print('certificates_revoke_p50_few', p50Few, 'ms', 1);
  print('certificates_revoke_p50_many', p50Many, 'ms', 1);
  print('certificates_revoke_growth', p50Many / p50Few, 'ratio', 2);
}

/** The first read of the full CRL after a change: entries are read, joined, signed, stored and sent. */
async function measureCrl(suite, serials) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    await revoke(suite, serials.splice(0, 1));
    const began = performance.now();
    const bytes = Buffer.from(await (await call(suite, 'GET', '/certs/crl')).arrayBuffer());
    times.push(performance.now() - began);
    if (bytes.length < manyRevoked * 30) throw new Error(`a CRL of ${bytes.length} octets`);
  }
  print('certificates_full_crl', median(times), 'ms');
  print('certificates_full_crl_limit', 1_000, 'ms');
}

async function measure(suite, databaseUrl, dir) {
  const created = await call(suite, 'POST', '/backends', {
    name: 'host',
    address: '192.168.100.4',
  });
  const backend = created.headers.get('location').replace('/backends/', '');
  const peer = await startStepCa(dir);
  try {
    await compareSigning(suite, backend, { peer, database: await postmaster(dir) });
  } finally {
    await peer.stop();
  }
  const serials = await measureIssue(suite, backend);
  await measureOcsp(suite, serials);
  await measureRevocation(suite, databaseUrl, serials);
  await measureCrl(suite, serials);
}

const dataDir = (dir) => join(dir, 'postgres');

/** Pid of the database server. */
async function postmaster(dir) {
  const file = (await readdir(dataDir(dir), { recursive: true })).find((path) =>
    path.endsWith('postmaster.pid'),
  );
  return Number((await readFile(join(dataDir(dir), file), 'utf8')).split('\n', 1)[0]);
}

const dir = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
const logger = createLogger({ name: 'bench', level: 'warn' });
const postgres = await startPostgres({ dataDir: dataDir(dir), logger });
try {
  await withSuite((suite) => measure(suite, postgres.url, dir), {
    DATABASE_URL: postgres.url,
    GLACIS_CERTS_STATUS_URL: 'http://status.example.com',
    GLACIS_CERTS_OCSP_RATE: '1000000/s',
    GLACIS_CERTS_CRL_RATE: '1000000/s',
  });
} finally {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
}
