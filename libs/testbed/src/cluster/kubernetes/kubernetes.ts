import { waitFor } from '@glacis/runtime';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificateAuthority } from '../certificate-authority.js';
import type { Daemon } from '../daemon.js';
import { freePorts } from '../ports.js';
import { readAuditLog, type AuditEvent } from './audit.js';
import { kubernetesClients, type KubernetesClients } from './clients.js';
import { makeControlPlane, type ControlPlane } from './control-plane.js';
import { makeIdentity, type KubernetesIdentity } from './identity.js';
import { anyNetwork } from './network.js';
import { NodeNamespace } from './node-namespace.js';
import { startNode, type KubernetesNode } from './node.js';
import { readStored, type StoredValue } from './stored.js';

export interface KubernetesOptions {
  /**
   * With a node on which pods run, and with DNS; the addresses of pods and Services are reached from this machine.
   * Needs root. Default: no node, so that pods stay `Pending`.
   */
  node?: boolean;
}

export interface KubernetesCluster extends KubernetesClients {
  /** Of the API server. */
  url: string;
  /** PEM file of the authority that its certificate, and those of its users, are from. */
  ca: string;
  /** A member of `system:masters`, who may do everything. */
  admin: KubernetesIdentity;
  /** Somebody new, who may do nothing until RBAC says so. */
  user(name: string, groups?: string[]): Promise<KubernetesIdentity>;
  /** When it was asked for. */
  node?: KubernetesNode;
  /** To take the API away and give it back at the same address; what is stored stays. */
  apiserver: Daemon;
  /** What the API server has answered, oldest first, at the level `Metadata`. */
  auditEvents(): Promise<AuditEvent[]>;
  /** What etcd holds, to prove that something is not there. Default: everything of the API server. */
  stored(prefix?: string): Promise<StoredValue[]>;
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
  let namespace: NodeNamespace | undefined;
  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => {
    await namespace?.stop();
    // In good order each would wait for those that it serves.
    await Promise.all(daemons.map((daemon) => daemon.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (options.node) namespace = await NodeNamespace.open(folder);
    const network = namespace?.network ?? anyNetwork();
    const authority = await makeCertificateAuthority(folder, '/CN=test cluster CA');
    const address = namespace ? network.machineAddress : '127.0.0.1';
    const [port = 0, etcdPort = 0] = await freePorts(2);
    const place = { folder, authority, network, server: `https://${address}:${port}` };
    const auditLog = join(folder, 'audit.log');
    const plane = await makeControlPlane({ ...place, address, port, etcdPort, auditLog });
    daemons.push(...Object.values(plane));
    const admin = await makeIdentity(place, 'admin', ['system:masters']);
    const clients = kubernetesClients(admin.file, join(folder, 'clients'));
    await startControlPlane(plane, clients);
    return {
      ...clients,
      url: place.server,
      ca: authority.cert,
      admin,
      user: (name, groups = []) => makeIdentity(place, name, groups),
      node: namespace && (await startNode({ ...place, namespace }, clients)),
      apiserver: plane.apiserver,
      auditEvents: () => readAuditLog(auditLog),
      stored: (prefix = '/registry/') => readStored(`http://127.0.0.1:${etcdPort}`, prefix),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startControlPlane(plane: ControlPlane, clients: KubernetesClients): Promise<void> {
  await plane.etcd.start();
  await plane.apiserver.start();
  await Promise.all([plane.controllerManager.start(), plane.scheduler.start()]);
  // Pods are refused in a namespace that has none.
  await waitFor(() => clients.kubectl('get', 'serviceaccount', 'default'), {
    deadlineMs: 60_000,
    what: 'the controllers to work',
  });
}
