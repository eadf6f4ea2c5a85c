import { makeBusyboxImage } from './busybox-image.js';
import type { KubernetesClients } from './clients.js';
import { startContainerd } from './containerd.js';
import { makeIdentity, type KubernetesIdentity } from './identity.js';
import { startKubelet } from './kubelet.js';
import { importImages } from './node-images.js';
import type { NodePlace } from './node-namespace.js';
import { dnsRights, startCoreDns, startKubeProxy } from './services.js';

/** The nodes on which pods run. */
export interface KubernetesNodes {
  names: string[];
  /** This machine as pods see it: they reach what listens on this address. */
  machineAddress: string;
}

/** Starts the programs of nodes that run pods, once the API server works, and waits until they are ready for them. */
export async function startNodes(
  places: NodePlace[],
  clients: KubernetesClients,
): Promise<KubernetesNodes> {
  const [first] = places;
  if (!first) throw new RangeError('no nodes to start');
  await clients.apply(...dnsRights);
  await startCoreDns(first);
  const given = {
    busybox: await makeBusyboxImage(first.folder),
    proxy: await makeIdentity(first, 'system:kube-proxy', []),
  };
  await Promise.all(places.map((place) => startNode(place, clients, given)));
  return {
    names: places.map(({ namespace }) => namespace.node.name),
    machineAddress: first.network.machineAddress,
  };
}

async function startNode(
  place: NodePlace,
  clients: KubernetesClients,
  { busybox, proxy }: { busybox: string; proxy: KubernetesIdentity },
): Promise<void> {
  const { name } = place.namespace.node;
  const socket = await startContainerd(place);
  await importImages(socket, busybox);
  await Promise.all([startKubelet(place, socket), startKubeProxy(place, proxy.file)]);
  await clients.kubectl('wait', '--for=create', `node/${name}`, '--timeout=120s');
  await clients.kubectl('wait', '--for=condition=Ready', `node/${name}`, '--timeout=120s');
}
