import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeIdentity } from './identity.js';
import { kubernetesProgram } from './kubernetes-programs.js';
import type { NodePlace } from './node-namespace.js';
import { dnsAddress } from './services.js';

/** @param socket of containerd */
export async function startKubelet(place: NodePlace, socket: string): Promise<void> {
  const { namespace, authority } = place;
  const { folder, node } = namespace;
  const { name, address } = node;
  const { file: kubeconfig } = await makeIdentity(place, `system:node:${name}`, ['system:nodes']);
  const resolver = join(folder, 'resolv.conf');
  await writeFile(resolver, '');
  const config = join(folder, 'kubelet.json');
  const settings = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: authority.cert },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${namespace.controlGroup}`,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [dnsAddress(place)],
    clusterDomain: 'cluster.local',
    resolvConf: resolver,
    volumePluginDir: join(folder, 'volume-plugins'),
    // A full disk of the machine is not the node's to answer for.
    evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  };
  await writeFile(config, JSON.stringify(settings));
  const daemon = await namespace.daemon({
    name: 'kubelet',
    file: await kubernetesProgram('kubelet'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--config=${config}`,
      `--root-dir=${join(folder, 'kubelet')}`,
      `--node-ip=${address}`,
      `--hostname-override=${name}`,
    ],
    logFile: join(folder, 'kubelet.log'),
    ready: (log) => log.includes('Started kubelet'),
  });
  await daemon.start();
}
