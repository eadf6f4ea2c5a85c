import { access } from 'node:fs/promises';
import { randomInt } from 'node:crypto';

/** Addresses of one cluster, of the ranges for benchmarks (RFC 2544), which no network of a machine uses. */
export interface ClusterNetwork {
  /** The machine, as the nodes and the pods see it. */
  machineAddress: string;
  podAddresses: string;
  /** Of simulated pods, where nobody answers; 1,022. */
  simulatedAddresses: string;
  serviceAddresses: string;
  /** Of `kubernetes.default`. */
  apiServiceAddress: string;
  /** Of all nodes that it may have. */
  nodes: readonly NodeNetwork[];
}

export interface NodeNetwork {
  /** Of the node. */
  name: string;
  /** Of the outer end of its link. */
  link: string;
  address: string;
  podAddresses: string;
}

/** In one cluster. */
export const maxNodes = 4;
/** At once on a machine. */
const maxClusters = 16;

/** For as many clusters at once, from any of them on. */
export function networks(): ClusterNetwork[] {
  const first = randomInt(maxClusters);
  return Array.from({ length: maxClusters }, (_, index) =>
    networkOf((first + index) % maxClusters),
  );
}

/** For a cluster without nodes, where nobody uses it. */
export const anyNetwork = (): ClusterNetwork => networkOf(0);

/** Whether another node has it. */
export async function isTaken({ link }: NodeNetwork): Promise<boolean> {
  return access(`/sys/class/net/${link}`).then(
    () => true,
    () => false,
  );
}

function networkOf(index: number): ClusterNetwork {
  const third = index * 16;
  // The upper end of the pods' range connects the nodes and the machine.
  const outer = `198.18.${third + 15}`;
  return {
    machineAddress: `${outer}.1`,
    podAddresses: `198.18.${third}.0/20`,
    simulatedAddresses: `198.18.${third + 8}.0/22`,
    serviceAddresses: `198.19.${third}.0/20`,
    apiServiceAddress: `198.19.${third}.1`,
    nodes: Array.from({ length: maxNodes }, (_, node) => ({
      name: `node-${node + 1}`,
      link: node === 0 ? `glacis${index}` : `node-${node + 1}`,
      address: `${outer}.${node + 2}`,
      podAddresses: `198.18.${third + node}.0/24`,
    })),
  };
}
