import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../command.js';
import { requireProgram } from '../programs.js';

/** An image of Debian's static busybox that sleeps unless told otherwise; also the sandbox of each pod. */
export const busyboxImage = 'localhost/busybox:1';

/** Its archive, as `docker save` writes it, in a folder. */
export async function makeBusyboxImage(folder: string): Promise<string> {
  const busybox = await requireProgram('busybox', 'busybox-static');
  const work = await mkdtemp(join(folder, 'image-'));
  const bin = join(work, 'root', 'bin');
  await mkdir(bin, { recursive: true });
  await copyFile(busybox, join(bin, 'busybox'));
  for (const name of (await runCommand(busybox, ['--list'])).trim().split('\n')) {
    if (name !== 'busybox') await symlink('busybox', join(bin, name));
  }
  const layer = join(work, 'layer.tar');
  await runCommand('tar', ['--owner=0', '--group=0', '-cf', layer, '-C', join(work, 'root'), '.']);
  const digest = createHash('sha256')
    .update(await readFile(layer))
    .digest('hex');
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['sleep', 'infinity'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [busyboxImage], Layers: ['layer.tar'] }];
  await writeFile(join(work, 'config.json'), JSON.stringify(config));
  await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'busybox.tar');
  const parts = ['manifest.json', 'config.json', 'layer.tar'];
  await runCommand('tar', ['-cf', archive, '-C', work, ...parts]);
  await rm(work, { recursive: true });
  return archive;
}
