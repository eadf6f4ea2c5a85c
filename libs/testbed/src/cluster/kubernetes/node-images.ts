import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../command.js';
import { Daemon } from '../daemon.js';
import { requireProgram } from '../programs.js';

/** What containerd changes in place; everything else below its root it only adds and removes. */
const databases = [
  'io.containerd.metadata.v1.bolt/meta.db',
  'io.containerd.snapshotter.v1.overlayfs/metadata.db',
];

/** Whether a containerd answers, by its log. */
export const hasBooted = (log: string): boolean => log.includes('containerd successfully booted');

/**
 * Unpacks images once for all nodes that start with them: each would write tens of thousands of files for itself.
 * @param archive as `docker save` or buildah writes it
 * @param root a folder to be made, the `images` of `KubernetesOptions`
 */
export async function unpackImages(archive: string, root: string): Promise<void> {
  const file = await requireProgram('containerd', 'containerd');
  const folder = await mkdtemp(join(tmpdir(), 'glacis-containerd-'));
  const [config, socket] = [join(folder, 'containerd.toml'), join(folder, 'containerd.sock')];
  await writeFile(
    config,
    `version = 2
root = "${root}"
state = "${join(folder, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${socket}"
`,
  );
  const logFile = join(folder, 'containerd.log');
  const args = [`--config=${config}`];
  const daemon = new Daemon({ name: 'containerd', file, args, logFile, ready: hasBooted });
  try {
    await daemon.start();
    await importImages(socket, archive);
  } finally {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives a containerd that does not run yet what was unpacked, by links to the same files. */
export async function linkImages(images: string, root: string): Promise<void> {
  await runCommand('cp', ['-al', images, root]);
  for (const database of databases) {
    await rm(join(root, database));
    await copyFile(join(images, database), join(root, database));
  }
}

/** @param socket of a containerd that runs */
export async function importImages(socket: string, archive: string): Promise<void> {
  const ctr = await requireProgram('ctr', 'containerd');
  const images = [`--address=${socket}`, '--namespace=k8s.io', 'images'];
  await runCommand(ctr, [...images, 'import', archive]);
}
