import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../daemon.js';
import { freePort } from '../ports.js';
import type { KubernetesClients } from './clients.js';
import { makeIdentity, type IdentityPlace } from './identity.js';
import { kwokProgram, kwokStages } from './kubernetes-programs.js';
import type { ClusterNetwork } from './network.js';
import { grantAll } from './rights.js';

const user = 'glacis:simulator';
const annotation = 'kwok.x-k8s.io/node';
const label = 'glacis.dev/simulated';

/** Keeps pods off the simulated nodes of a cluster that has real ones, unless they tolerate it. */
const taint = { key: label, effect: 'NoSchedule' };

export interface SimulatorPlace extends IdentityPlace {
  network: ClusterNetwork;
}

/** KWOK: it says of nodes and their pods what a kubelet would say, and nothing runs. */
export async function startSimulator(
  place: SimulatorPlace,
  clients: KubernetesClients,
): Promise<Daemon> {
  const every = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
  const status = ['nodes/status', 'pods/status'];
  const rights = grantAll(user, [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: status, verbs: ['update', 'patch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['pods', 'events'], verbs: every },
  ]);
  await clients.apply(...rights);
  const { file } = await makeIdentity(place, user, []);
  const stages = join(place.folder, 'stages.yaml');
  await writeFile(stages, await kwokStages());
  const server = `127.0.0.1:${await freePort()}`;
  const daemon = new Daemon({
    name: 'kwok',
    file: await kwokProgram(),
    args: [
      `--kubeconfig=${file}`,
      `--config=${stages}`,
      `--cidr=${place.network.simulatedAddresses}`,
      `--server-address=${server}`,
      '--manage-all-nodes=false',
      `--manage-nodes-with-annotation-selector=${annotation}=fake`,
    ],
    logFile: join(place.folder, 'kwok.log'),
    ready: async () => (await fetch(`http://${server}/readyz`).catch(() => null))?.ok ?? false,
  });
  await daemon.start();
  return daemon;
}

/**
 * @param first number of the first one
 * @returns their names, once pods can be placed on them
 */
export async function addSimulatedNodes(
  clients: KubernetesClients,
  { first, count, tainted }: { first: number; count: number; tainted: boolean },
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `simulated-${first + index}`);
  const nodes = names.map((name) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { [annotation]: 'fake' },
      labels: { 'kubernetes.io/hostname': name, [label]: 'true' },
    },
    spec: { taints: tainted ? [taint] : [] },
  }));
  await clients.apply(...nodes);
  await clients.kubectl('wait', '--for=condition=Ready', 'nodes', '-l', label, '--timeout=120s');
  return names;
}
