import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireProgram } from '../programs.js';
import { makeIdentity } from './identity.js';
import { coreDnsProgram, kubernetesProgram } from './kubernetes-programs.js';
import type { NodePlace } from './node-namespace.js';
import { grantAll } from './rights.js';

/** Leads the addresses of Services to their pods. */
export async function startKubeProxy(
  { network, namespace }: NodePlace,
  kubeconfig: string,
): Promise<void> {
  await requireProgram('iptables', 'iptables');
  await requireProgram('conntrack', 'conntrack');
  const daemon = await namespace.daemon({
    name: 'kube-proxy',
    file: await kubernetesProgram('kube-proxy'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--proxy-mode=iptables',
      `--cluster-cidr=${network.podAddresses}`,
      `--hostname-override=${namespace.node.name}`,
      // Its limits belong to the machine.
      '--conntrack-max-per-core=0',
    ],
    logFile: join(namespace.folder, 'kube-proxy.log'),
    ready: (log) => log.includes('Caches are synced'),
  });
  await daemon.start();
}

const dnsUser = 'glacis:dns';

/** Where the names of Services are asked for: at the first node. */
export const dnsAddress = ({ network }: NodePlace): string => network.nodes[0]?.address ?? '';

/** Answers for the names of Services. To be started at the first node. */
export async function startCoreDns(place: NodePlace): Promise<void> {
  const { folder, namespace } = place;
  const { file } = await makeIdentity(place, dnsUser, []);
  const corefile = join(folder, 'Corefile');
  await writeFile(
    corefile,
    `.:53 {
  bind ${dnsAddress(place)}
  errors
  kubernetes cluster.local {
    kubeconfig ${file} testbed
    ttl 0
  }
}
`,
  );
  const daemon = await namespace.daemon({
    name: 'CoreDNS',
    file: await coreDnsProgram(),
    args: [`-conf=${corefile}`],
    logFile: join(folder, 'coredns.log'),
    ready: (log) => log.includes('CoreDNS-'),
  });
  await daemon.start();
}

/** Of CoreDNS, to be applied before it starts. */
export const dnsRights = grantAll(dnsUser, [
  { apiGroups: [''], resources: ['services', 'namespaces'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
]);
