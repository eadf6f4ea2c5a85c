// What the faults happen to: a real API server, the embedded suite as a process, and two operators, each of which reaches
// the API server over a network of its own.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiServer, openAccess } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { freePorts, startKubernetes } from '@glacis/testbed/cluster';
import { startOn } from '../../support/suite.mjs';
import { Operator, operatorGroup } from './operator.mjs';

/** Where the operators' Lease and what they serve is. */
const namespace = 'default';

export async function openStage() {
  const ends = [];
  const close = async () => {
    for (const end of ends.toReversed()) await end();
  };
  const opened = async (thing, end) => {
    ends.push(() => end(thing));
    return thing;
  };
  try {
    const folder = await opened(await mkdtemp(join(tmpdir(), 'glacis-faults-')), (it) =>
      rm(it, { recursive: true, force: true }),
    );
    const cluster = await opened(await startKubernetes(), (it) => it.stop());
    await install(cluster);
    const access = await opened(await openAccess({ kubeconfig: cluster.admin.file }), (it) =>
      it.close(),
    );
    const { dataDir, env, suiteEnv } = await settings(folder);
    const suite = await opened(await startOn(dataDir, suiteEnv), async ({ child, exited }) => {
      child.kill('SIGTERM');
      await exited;
    });
    const operators = [];
    for (const name of ['a', 'b']) {
      const told = { ...env, GLACIS_OPERATOR_DOOR_URL: suite.door };
      const operator = await opened(
        await Operator.open(name, { cluster, env: told, folder }),
        (it) => it.close(),
      );
      operators.push(operator);
    }
    const databaseUrl = `postgresql://glacis@${encodeURIComponent(join(dataDir, 'run'))}/glacis`;
    const server = new ApiServer(access, { timeoutMs: 5_000, userAgent: 'glacis-faults' });
    return {
      cluster,
      server,
      suite,
      operators,
      databaseUrl,
      leader: () => leader(operators),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The resource, and what the operators may do, as they are installed elsewhere. */
async function install(cluster) {
  await cluster.kubectl('apply', '-f', 'k8s/crds/tee.glacis.dev_teemanagers.yaml');
  await cluster.kubectl('apply', '-n', namespace, '-f', 'k8s/rbac/operator.yaml');
  await cluster.apply(binding('ClusterRole'), binding('Role'));
  await cluster.kubectl('wait', '--for=condition=Established', 'crd/teemanagers.tee.glacis.dev');
}

function binding(kind) {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: `${kind}Binding`,
    metadata: { name: 'glacis-operator', ...(kind === 'Role' && { namespace }) },
    roleRef: { apiGroup, kind, name: 'glacis-operator' },
    subjects: [{ apiGroup, kind: 'Group', name: operatorGroup }],
  };
}

/** Of the suite, and of the operators what they need to find it. */
async function settings(folder) {
  const joinToken = join(folder, 'join-token');
  await writeFile(joinToken, randomBytes(32).toString('hex'), { mode: 0o600 });
  const [certs, backends, gateway] = await freePorts(3);
  const dataDir = join(folder, 'suite');
  await mkdir(dataDir, { mode: 0o700 });
  const shared = { GLACIS_JOIN_TOKEN_FILE: joinToken };
  const suiteEnv = {
    ...shared,
    GLACIS_CERTS_GRPC_PORT: String(certs),
    GLACIS_BACKENDS_GRPC_PORT: String(backends),
    GLACIS_GATEWAY_GRPC_PORT: String(gateway),
  };
  const env = {
    ...shared,
    GLACIS_NAMESPACE: namespace,
    GLACIS_OPERATOR_RESOURCES: 'teemanagers',
    GLACIS_OPERATOR_MANAGER_URL: 'localhost:7011',
    GLACIS_OPERATOR_MANAGER_IMAGE: 'localhost/glacis:faults',
    GLACIS_CERTS_GRPC_URL: `127.0.0.1:${certs}`,
    GLACIS_BACKENDS_GRPC_URL: `127.0.0.1:${backends}`,
    GLACIS_GATEWAY_GRPC_URL: `127.0.0.1:${gateway}`,
  };
  return { dataDir, env, suiteEnv };
}

/** The operator that leads, as soon as one does. */
function leader(operators) {
  const probe = async () => {
    const leading = await Promise.all(operators.map((operator) => operator.leads()));
    return operators[leading.indexOf(true)];
  };
  return waitFor(probe, { deadlineMs: 60_000, everyMs: 100, what: 'a leader' });
}
