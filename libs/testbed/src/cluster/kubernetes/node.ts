import { runCommand } from '../command.js';
import { requireProgram } from '../programs.js';
import { makeBusyboxImage } from './busybox-image.js';
import type { KubernetesClients } from './clients.js';
import { startContainerd } from './containerd.js';
import { startKubelet } from './kubelet.js';
import type { NodePlace } from './node-namespace.js';
import { dnsRights, startCoreDns, startKubeProxy } from './services.js';

export interface KubernetesNode {
  name: string;
  /** This machine as pods see it: they reach what listens on this address. */
  machineAddress: string;
  /** Makes the images of an archive known, as `docker save` or buildah writes it; pods name them as in it. */
  importImages(archive: string): Promise<void>;
}

/** A node as plain data: another process reaches it as well. */
export interface NodeAddress {
  name: string;
  machineAddress: string;
  /** Path of containerd's. */
  socket: string;
}

export function reachNode({ name, machineAddress, socket }: NodeAddress): KubernetesNode {
  const images = [`--address=${socket}`, '--namespace=k8s.io', 'images'];
  return {
    name,
    machineAddress,
    importImages: async (archive) => {
      const ctr = await requireProgram('ctr', 'containerd');
      await runCommand(ctr, [...images, 'import', archive]);
    },
  };
}

const name = 'node';

/** Starts the programs of a node that runs pods, once the API server works, and waits until it is ready for them. */
export async function startNode(
  place: NodePlace,
  clients: KubernetesClients,
): Promise<NodeAddress> {
  const socket = await startContainerd(place);
  const address = { name, machineAddress: place.network.machineAddress, socket };
  await reachNode(address).importImages(await makeBusyboxImage(place.folder));
  await clients.apply(...dnsRights);
  await Promise.all([
    startKubelet(place, name, socket),
    startKubeProxy(place, name),
    startCoreDns(place),
  ]);
  await clients.kubectl('wait', '--for=create', `node/${name}`, '--timeout=120s');
  await clients.kubectl('wait', '--for=condition=Ready', `node/${name}`, '--timeout=120s');
  return address;
}
