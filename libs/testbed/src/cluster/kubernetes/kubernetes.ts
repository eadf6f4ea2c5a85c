import { waitFor } from '@glacis/runtime';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificateAuthority } from '../certificate-authority.js';
import type { Daemon } from '../daemon.js';
import { freePorts } from '../ports.js';
import { reachCluster, type ClusterAddress, type KubernetesAccess } from './access.js';
import type { KubernetesClients } from './clients.js';
import { makeControlPlane, type ControlPlane } from './control-plane.js';
import { makeIdentity } from './identity.js';
import { anyNetwork, maxNodes } from './network.js';
import { NodeNamespace } from './node-namespace.js';
import { startNodes } from './node.js';
import { addSimulatedNodes, startSimulator, type SimulatorPlace } from './simulated-nodes.js';
import { startStorage } from './storage.js';

export interface KubernetesOptions {
  /**
   * With a node on which pods run, and with DNS; the addresses of pods and Services are reached from this machine.
   * Needs root. Default: no node, so that pods stay `Pending`.
   */
  node?: boolean;
  /** How many of them, at most 4. Default 1 with `node`. */
  nodes?: number;
  /** What `glacisImage` has unpacked: its image is known on every node from the start. Default: none. */
  images?: string;
  /** Claims get volumes also without a node, for pods on simulated ones. */
  storage?: boolean;
}

export interface KubernetesCluster extends KubernetesAccess {
  /** Itself, as plain data. */
  address: ClusterAddress;
  /** To take the API away and give it back at the same address; what is stored stays. */
  apiserver: Daemon;
  /**
   * Adds nodes on which pods seem to run: they are `Ready` at once and nothing is behind them, up to 1,022 pods. Where real
   * nodes are, pods go there only if they tolerate the taint `glacis.dev/simulated`.
   * @returns the names of the nodes
   */
  simulatedNodes(count: number): Promise<string[]>;
  /** Ends everything and removes what it has stored. */
  stop(): Promise<void>;
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler on the loopback address, or with a node on the
 * machine's end of its link, in a folder that goes with them. The first start on a machine builds them, in 10 to 20
 * minutes; later ones take 4 to 15 s.
 * @throws {MissingProgramError} without openssl or, for the first start, Go; with a node, without containerd, runc,
 * iptables, conntrack or busybox
 * @throws {Error} with the end of its log when one does not start
 */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<KubernetesCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-kubernetes-'));
  const running: Running = { namespaces: [], daemons: [] };
  const stop = async (): Promise<void> => {
    await running.stopStorage?.();
    // The first one connects the others.
    for (const namespace of running.namespaces.toReversed()) await namespace.stop();
    // In good order each would wait for those that it serves.
    await Promise.all(running.daemons.map((daemon) => daemon.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { node, nodes = node ? 1 : 0 } = options;
    if (nodes > 0) await openNamespaces(folder, nodes, running.namespaces);
    return { ...(await startIn(folder, running, options)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What is to be ended. */
interface Running {
  namespaces: NodeNamespace[];
  daemons: Daemon[];
  stopStorage?: () => Promise<void>;
}

/** @param opened takes each when it is there, also if the next one fails */
async function openNamespaces(
  folder: string,
  count: number,
  opened: NodeNamespace[],
): Promise<void> {
  if (count > maxNodes) throw new RangeError(`at most ${maxNodes} nodes`);
  const first = await NodeNamespace.open(folder);
  opened.push(first);
  for (const node of first.network.nodes.slice(1, count)) opened.push(await first.beside(node));
}

async function startIn(
  folder: string,
  running: Running,
  { storage = false, images }: KubernetesOptions,
): Promise<Omit<KubernetesCluster, 'stop'>> {
  const { namespaces, daemons } = running;
  const withNodes = namespaces.length > 0;
  const network = namespaces[0]?.network ?? anyNetwork();
  const authority = await makeCertificateAuthority(folder, '/CN=test cluster CA');
  const host = withNodes ? network.machineAddress : '127.0.0.1';
  const [port = 0, etcdPort = 0] = await freePorts(2);
  const place = { folder, authority, network, server: `https://${host}:${port}` };
  const auditLog = join(folder, 'audit.log');
  const plane = await makeControlPlane({ ...place, address: host, port, etcdPort, auditLog });
  daemons.push(...Object.values(plane));
  const admin = await makeIdentity(place, 'admin', ['system:masters']);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const address: ClusterAddress = { folder, url: place.server, admin, auditLog, etcdUrl };
  const admins = reachCluster(address);
  await startControlPlane(plane, admins);
  if (withNodes || storage) running.stopStorage = await startStorage(place, admins);
  if (withNodes) {
    const places = namespaces.map((namespace) => ({ ...place, namespace, images }));
    address.nodes = await startNodes(places, admins);
  }
  return {
    ...reachCluster(address),
    address,
    apiserver: plane.apiserver,
    simulatedNodes: simulation(place, admins, { daemons, tainted: withNodes }),
  };
}

/** The simulator starts with the first of its nodes. */
function simulation(
  place: SimulatorPlace,
  clients: KubernetesClients,
  { daemons, tainted }: { daemons: Daemon[]; tainted: boolean },
): KubernetesCluster['simulatedNodes'] {
  let simulator: Promise<unknown> | undefined;
  let made = 0;
  return async (count) => {
    simulator ??= startSimulator(place, clients).then((daemon) => daemons.push(daemon));
    await simulator;
    const first = made + 1;
    made += count;
    return addSimulatedNodes(clients, { first, count, tainted });
  };
}

async function startControlPlane(plane: ControlPlane, clients: KubernetesClients): Promise<void> {
  await plane.etcd.start();
  await plane.apiserver.start();
  await Promise.all([plane.controllerManager.start(), plane.scheduler.start()]);
  // Pods are refused in a namespace that has none.
  await waitFor(() => clients.kubectl('get', 'serviceaccount', 'default'), {
    deadlineMs: 60_000,
    everyMs: 200,
    what: 'the controllers to work',
  });
}
