import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingProgramError, requireProgram } from '../programs.js';
import { busyboxImage } from './busybox-image.js';
import { hasBooted, linkImages } from './node-images.js';
import type { NodeNamespace, NodePlace } from './node-namespace.js';

const plugins = '/usr/lib/cni';

/** @returns the path of its socket */
export async function startContainerd({ namespace, images }: NodePlace): Promise<string> {
  await requireProgram('runc', 'runc');
  const file = await requireProgram('containerd', 'containerd');
  await access(join(plugins, 'bridge')).catch(() => {
    throw new MissingProgramError('bridge', 'containernetworking-plugins');
  });
  const { folder } = namespace;
  const socket = join(folder, 'containerd.sock');
  const root = join(folder, 'containerd');
  if (images !== undefined) await linkImages(images, root);
  const networks = join(folder, 'cni');
  await mkdir(networks);
  await writeFile(join(networks, 'pods.conflist'), JSON.stringify(podNetwork(namespace)));
  const config = join(folder, 'containerd.toml');
  await writeFile(
    config,
    `version = 2
root = "${root}"
state = "/run/containerd"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${busyboxImage}"
  # A machine may lack the right to lower scores.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${plugins}"
    conf_dir = "${networks}"
`,
  );
  const daemon = await namespace.daemon({
    name: 'containerd',
    file,
    args: [`--config=${config}`],
    logFile: join(folder, 'containerd.log'),
    ready: hasBooted,
  });
  await daemon.start();
  return socket;
}

function podNetwork({ node, folder }: NodeNamespace): object {
  const ipam = {
    type: 'host-local',
    subnet: node.podAddresses,
    dataDir: join(folder, 'addresses'),
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true, ipam };
  const ports = { type: 'portmap', capabilities: { portMappings: true } };
  return { cniVersion: '0.4.0', name: 'pods', plugins: [bridge, ports] };
}
