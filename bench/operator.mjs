// TeeManagers in bulk: a control plane of Kubernetes with simulated nodes, the embedded suite and the operator as processes.
// From `kubectl apply` until all are registered and certified and their pods are ready; then the writes of an operator that
// has nothing to do, by the audit log of the API server, while it looks at each of them again and once more after a restart;
// and its memory. `npm run bench -- operator [TeeManagers]`; needs Linux, openssl and Go. Simulated pods never connect.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, startKubernetes } from '@glacis/testbed/cluster';
import { cpuMs } from './support/cpu.mjs';
import { memoryOf } from './support/memory.mjs';
import { operatorAccount, operatorProcess, operatorWrites } from './support/operator.mjs';
import { withSuite } from './support/suite.mjs';

const count = Number(process.argv[2] ?? 500);
const nodes = 10;
const limitMs = 600_000;

const print = (figure, value, unit, digits = 0) =>
  console.log(`${figure} ${value.toFixed(digits)} ${unit}`);

/** @returns what `probe` gives as soon as it gives something */
async function until(what, probe) {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(2_000);
  }
}

/** The resource, and the account that serves it. */
async function prepare(cluster) {
  await cluster.kubectl('apply', '-f', 'k8s/crds');
  await cluster.kubectl('wait', '--for=condition=Established', 'crd/teemanagers.tee.glacis.dev');
  return operatorAccount(cluster, folder, ['operator']);
}

/** The internal ports of the suite, and what the operator is told of them. */
async function peers(folder) {
  const [certs, backends, gateway] = await freePorts(3);
  const joinTokenFile = join(folder, 'join');
  await writeFile(joinTokenFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  return {
    suite: {
      GLACIS_CERTS_GRPC_PORT: certs,
      GLACIS_BACKENDS_GRPC_PORT: backends,
      GLACIS_GATEWAY_GRPC_PORT: gateway,
      GLACIS_JOIN_TOKEN_FILE: joinTokenFile,
    },
    operator: {
      GLACIS_CERTS_GRPC_URL: `127.0.0.1:${certs}`,
      GLACIS_BACKENDS_GRPC_URL: `127.0.0.1:${backends}`,
      GLACIS_GATEWAY_GRPC_URL: `127.0.0.1:${gateway}`,
      GLACIS_JOIN_TOKEN_FILE: joinTokenFile,
    },
  };
}

const teeManager = (name) => ({
  apiVersion: 'tee.glacis.dev/v1alpha1',
  kind: 'TeeManager',
  metadata: { name, namespace: 'default' },
  spec: { backend: { name }, tee: 'none' },
});

/** Whether this holds for the conditions of all TeeManagers, each by its type. */
async function all(cluster, holds) {
  const { items } = JSON.parse(await cluster.kubectl('get', 'teemanagers', '-o', 'json'));
  return items.every(({ status }) =>
    holds(Object.fromEntries((status?.conditions ?? []).map((each) => [each.type, each]))),
  );
}
const certified = ({ Registered, CertificateReady }) =>
  Registered?.status === 'True' && CertificateReady?.status === 'True';
const podReady = ({ PodReady }) => PodReady?.status === 'True';
const missed = ({ Ready }) => Ready?.reason === 'NotConnected';

const tell = (events) => {
  for (const { verb, objectRef } of events.slice(0, 5)) {
    console.error(`written: ${verb} ${objectRef.resource} ${objectRef.name}`);
  }
  return events.length;
};

async function measure(cluster, { daemon, reconciles }) {
  const managers = Array.from({ length: count }, (_, index) => teeManager(`host-${index}`));
  const begun = Date.now();
  await cluster.apply(...managers);
  print('operator_applied', (Date.now() - begun) / 1000, 's', 1);
  await until('registered and certified', () => all(cluster, certified));
  print('operator_all_certified', (Date.now() - begun) / 1000, 's', 1);
  print('operator_cpu_each', cpuMs(daemon.pid) / count, 'ms', 1);
  await until('ready pods', () => all(cluster, podReady));
  print('operator_all_pods_ready', (Date.now() - begun) / 1000, 's', 1);

  // After five minutes without a connection each status says so: what follows is before that or after it.
  if (Date.now() - begun > 180_000) await until('missed', () => all(cluster, missed));
  // The last changes of pods are looked at once more.
  await sleep(5_000);
  const idle = Date.now();
  const before = await reconciles();
  await until('a look at each', async () => (await reconciles()) - before >= count);
  const { rss } = memoryOf(daemon.pid);
  print('operator_idle_writes', tell(await operatorWrites(cluster, idle, Date.now())), 'writes');
  print(
    'operator_writes_each',
    (await operatorWrites(cluster, begun, idle)).length / count,
    'writes',
    1,
  );
  print('operator_memory', rss, 'MB');

  await daemon.stop();
  const restarted = Date.now();
  await daemon.start();
  await until('a look at each after a restart', async () => (await reconciles()) >= count);
  print('operator_restart_resync', (Date.now() - restarted) / 1000, 's', 1);
  print(
    'operator_restart_writes',
    tell(await operatorWrites(cluster, restarted, Date.now())),
    'writes',
  );
}

const folder = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
let cluster;
let operator;
try {
  cluster = await startKubernetes();
  await cluster.simulatedNodes(nodes);
  const account = await prepare(cluster);
  const env = await peers(folder);
  const work = async (suite) => {
    operator = await operatorProcess(folder, {
      ...env.operator,
      ...account.env,
      GLACIS_OPERATOR_RESOURCES: 'teemanagers',
      GLACIS_OPERATOR_MANAGER_IMAGE: 'localhost/glacis:test',
      GLACIS_OPERATOR_DOOR_URL: suite.door,
      GLACIS_OPERATOR_MANAGER_URL: suite.managers,
    });
    await operator.daemon.start();
    await measure(cluster, operator);
    await operator.daemon.stop();
  };
  await withSuite(work, env.suite);
} finally {
  await operator?.daemon.kill();
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
}
