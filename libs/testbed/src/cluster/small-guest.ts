import { access, chmod, copyFile, cp, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache.js';
import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

export interface SmallGuest {
  kernel: string;
  initramfs: string;
  /** OVMF, for SNP and TDX as well as without. */
  firmware: { code: string; vars: string };
}

/** Modules of the kernel that a virtio-serial port needs, each after those that it needs itself. */
const modules = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci',
  'drivers/char/virtio_console',
];
const firmware = { code: '/usr/share/OVMF/OVMF_CODE.fd', vars: '/usr/share/OVMF/OVMF_VARS.fd' };

const prologue = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
${modules.map((path) => `insmod /modules/${path.split('/').at(-1)}.ko`).join('\n')}
`;

/**
 * A Linux of Debian's cloud kernel and busybox that runs a shell script and nothing else. Its console is `ttyS0`; a
 * virtio-serial port is `/dev/vport*`.
 * @param script runs as the first process, so the guest panics when it ends
 * @param files contents by name, put into `/`
 * @throws {Error} naming the Debian package that is missing
 */
export async function smallGuest(
  script: string,
  files: Readonly<Record<string, Buffer>> = {},
): Promise<SmallGuest> {
  const busybox = await requireProgram('busybox', 'busybox-static');
  await requireProgram('cpio', 'cpio');
  await access(firmware.code).catch(() => {
    throw new Error(`${firmware.code} is missing: apt-get install ovmf`);
  });
  const linux = await cloudKernel();
  const folder = await mkdtemp(join(tmpdir(), 'glacis-guest-'));
  const root = join(folder, 'root');
  for (const name of ['bin', 'proc', 'sys', 'dev'])
    await mkdir(join(root, name), { recursive: true });
  await copyFile(busybox, join(root, 'bin/busybox'));
  for (const name of (await runCommand(busybox, ['--list'])).split('\n')) {
    if (name !== '' && name !== 'busybox') await symlink('busybox', join(root, 'bin', name));
  }
  await cp(join(linux, 'modules'), join(root, 'modules'), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(root, name), content);
  await writeFile(join(root, 'init'), prologue + script);
  await chmod(join(root, 'init'), 0o755);
  const initramfs = join(folder, 'initramfs');
  const pack = `find . | cpio --quiet -o -H newc > ${initramfs}`;
  await runCommand('sh', ['-c', pack], { cwd: root });
  return { kernel: join(linux, 'vmlinuz'), initramfs, firmware };
}

/** Debian's kernel for virtual machines and its modules, out of its package, which is not installed. */
async function cloudKernel(): Promise<string> {
  await requireProgram('apt-get', 'apt');
  const about = await runCommand('apt-cache', ['depends', 'linux-image-cloud-amd64']);
  const name = /Depends: (linux-image-\S+)/.exec(about)?.[1];
  if (name === undefined) {
    throw new Error('linux-image-cloud-amd64 is unknown: apt-get update');
  }
  return cached(name, async (folder) => {
    await runCommand('apt-get', ['download', name], { cwd: folder });
    await runCommand('sh', ['-c', 'dpkg-deb -x ./*.deb x && rm ./*.deb'], { cwd: folder });
    await runCommand('sh', ['-c', 'mv x/boot/vmlinuz-* vmlinuz && mkdir modules'], { cwd: folder });
    for (const module of modules) {
      await runCommand('sh', ['-c', `mv x/lib/modules/*/kernel/${module}.ko modules/`], {
        cwd: folder,
      });
    }
    await runCommand('rm', ['-r', 'x'], { cwd: folder });
  });
}
