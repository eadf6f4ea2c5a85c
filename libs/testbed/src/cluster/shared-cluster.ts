import { randomBytes } from 'node:crypto';
import { temporaryFolder } from '../temporary-folder.js';
import type { BuiltImage } from './glacis-image.js';
import { reachCluster, type ClusterAddress, type KubernetesAccess } from './kubernetes/access.js';
import { kubernetesClients, type KubernetesClients } from './kubernetes/clients.js';
import { startKubernetes } from './kubernetes/kubernetes.js';
import { demand, type OnDemand } from './on-demand.js';

/** A namespace for one test file. */
export interface TestNamespace {
  name: string;
  /** Resolves when nothing is left of it. */
  remove(): Promise<void>;
}

/** A cluster with a real node, for tests that leave in it nothing that they have made. */
export interface SharedCluster extends KubernetesClients {
  /** File of the administrator. */
  kubeconfig: string;
  /** Name of the image of this checkout, which its nodes have. */
  image: string;
  /** A new one. */
  namespace(): Promise<TestNamespace>;
  /** What only a cluster of the testbed lets be done: absent with `KUBECONFIG`. */
  own?: KubernetesAccess;
}

interface Started {
  cluster: ClusterAddress;
  image: string;
}

/**
 * The cluster of the test run, started by the first who asks. With `KUBECONFIG` set it is that one, in which
 * `GLACIS_TEST_IMAGE` names the image. Whoever breaks the cluster, or counts what others do, starts one by
 * `startKubernetes`.
 * @throws {Error} when it does not start, and outside of `npm run test:cluster`
 */
export async function sharedCluster(): Promise<SharedCluster> {
  const cluster = process.env.KUBECONFIG
    ? givenCluster(process.env.KUBECONFIG)
    : await ownCluster();
  const clients = kubernetesClients(cluster.kubeconfig, await temporaryFolder());
  return { ...clients, ...cluster, namespace: () => makeNamespace(clients) };
}

type Found = Pick<SharedCluster, 'kubeconfig' | 'image' | 'own'>;

function givenCluster(kubeconfig: string): Found {
  const image = process.env.GLACIS_TEST_IMAGE;
  if (!image)
    throw new Error('GLACIS_TEST_IMAGE is to name the image in the cluster of KUBECONFIG');
  return { kubeconfig, image };
}

async function ownCluster(): Promise<Found> {
  const { cluster, image } = await demand<Started>('cluster');
  const own = reachCluster(cluster);
  return { kubeconfig: own.admin.file, image, own };
}

async function makeNamespace(clients: KubernetesClients): Promise<TestNamespace> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  await clients.kubectl('create', 'namespace', name);
  const remove = async (): Promise<void> => {
    await clients.kubectl('delete', 'namespace', name, '--timeout=120s');
  };
  return { name, remove };
}

export async function startSharedCluster({ name, images }: BuiltImage): Promise<OnDemand<Started>> {
  const cluster = await startKubernetes({ node: true, images });
  return { value: { cluster: cluster.address, image: name }, stop: () => cluster.stop() };
}
