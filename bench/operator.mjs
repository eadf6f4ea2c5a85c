// TeeManagers in bulk: a control plane of Kubernetes with simulated nodes, the embedded suite and the operator as processes.
// From `kubectl apply` until all are registered and certified and their pods are ready; then the writes of an operator that
// has nothing to do, by the audit log of the API server, while it looks at each of them again and once more after a restart;
// and its memory. `npm run bench -- operator [TeeManagers]`; needs Linux, openssl and Go. Simulated pods never connect.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, freePort, freePorts, startKubernetes } from '@glacis/testbed/cluster';
import { parseAllDocuments } from 'yaml';
import { cpuMs } from './support/cpu.mjs';
import { memoryOf } from './support/memory.mjs';
import { withSuite } from './support/suite.mjs';

const count = Number(process.argv[2] ?? 500);
const nodes = 10;
const limitMs = 600_000;
const user = 'glacis-operator';
const rbac = 'rbac.authorization.k8s.io';

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

/** The resource, and a user who may do what the committed rules say. @returns the kubeconfig of the user */
async function prepare(cluster) {
  await cluster.kubectl('apply', '-f', 'k8s/crds');
  await cluster.kubectl('wait', '--for=condition=Established', 'crd/teemanagers.tee.glacis.dev');
  const documents = parseAllDocuments(await readFile('k8s/rbac/operator.yaml', 'utf8'));
  const roles = documents.map((document) => document.toJS());
  const bindings = roles.map(({ kind, metadata }) => ({
    apiVersion: `${rbac}/v1`,
    kind: `${kind}Binding`,
    metadata: { ...metadata, namespace: 'default' },
    roleRef: { apiGroup: rbac, kind, name: metadata.name },
    subjects: [{ kind: 'User', name: user, apiGroup: rbac }],
  }));
  for (const { metadata } of roles) metadata.namespace = 'default';
  await cluster.apply(...roles, ...bindings);
  return (await cluster.user(user)).file;
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

/** The operator in a process of its own; `reconciles()` counts those that it has finished. */
async function operatorProcess(folder, env) {
  const port = await freePort();
  const daemon = new Daemon({
    name: 'the operator',
    file: process.execPath,
    args: [join(process.cwd(), 'apps/operator/dist/main.js')],
    env: { ...process.env, NODE_ENV: 'production', GLACIS_OPERATOR_HTTP_PORT: port, ...env },
    logFile: join(folder, 'operator.log'),
    ready: (log) => log.includes('operator has started'),
  });
  const reconciles = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const counts = text.matchAll(/^glacis_kube_reconciles_total\{[^}]*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  return { daemon, reconciles };
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

/** What the operator has written between two moments; its Lease, by which it leads, has nothing to do with them. */
async function writes(cluster, from, to) {
  const events = await cluster.auditEvents();
  return events.filter(
    (event) =>
      event.user.username === user &&
      ['create', 'update', 'patch', 'delete'].includes(event.verb) &&
      event.objectRef?.resource !== 'leases' &&
      Date.parse(event.requestReceivedTimestamp) >= from &&
      Date.parse(event.requestReceivedTimestamp) < to,
  );
}

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
  print('operator_idle_writes', tell(await writes(cluster, idle, Date.now())), 'writes');
  print('operator_writes_each', (await writes(cluster, begun, idle)).length / count, 'writes', 1);
  print('operator_memory', rss, 'MB');

  await daemon.stop();
  const restarted = Date.now();
  await daemon.start();
  await until('a look at each after a restart', async () => (await reconciles()) >= count);
  print('operator_restart_resync', (Date.now() - restarted) / 1000, 's', 1);
  print('operator_restart_writes', tell(await writes(cluster, restarted, Date.now())), 'writes');
}

const folder = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
let cluster;
let operator;
try {
  cluster = await startKubernetes();
  await cluster.simulatedNodes(nodes);
  const kubeconfig = await prepare(cluster);
  const env = await peers(folder);
  const work = async (suite) => {
    operator = await operatorProcess(folder, {
      ...env.operator,
      KUBECONFIG: kubeconfig,
      GLACIS_NAMESPACE: 'default',
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
