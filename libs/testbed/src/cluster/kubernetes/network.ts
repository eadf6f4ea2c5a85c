import { access } from 'node:fs/promises';
import { randomInt } from 'node:crypto';

/** Addresses of one cluster, of the ranges for benchmarks (RFC 2544), which no network of a machine uses. */
export interface ClusterNetwork {
  /** Of the machine's end of the link to the node. */
  link: string;
  /** The machine, as the node and the pods see it. */
  machineAddress: string;
  nodeAddress: string;
  podAddresses: string;
  serviceAddresses: string;
  /** Of `kubernetes.default`. */
  apiServiceAddress: string;
}

/** For as many clusters at once, from any of them on. */
export function networks(): ClusterNetwork[] {
  const first = randomInt(count);
  return Array.from({ length: count }, (_, index) => networkOf((first + index) % count));
}

/** For a cluster without nodes, where nobody uses it. */
export const anyNetwork = (): ClusterNetwork => networkOf(0);

/** Whether a node has it. */
export async function isTaken({ link }: ClusterNetwork): Promise<boolean> {
  return access(`/sys/class/net/${link}`).then(
    () => true,
    () => false,
  );
}

const count = 16;

function networkOf(index: number): ClusterNetwork {
  const third = index * 16;
  return {
    link: `glacis${index}`,
    machineAddress: `198.18.${third + 15}.1`,
    nodeAddress: `198.18.${third + 15}.2`,
    podAddresses: `198.18.${third}.0/20`,
    serviceAddresses: `198.19.${third}.0/20`,
    apiServiceAddress: `198.19.${third}.1`,
  };
}
