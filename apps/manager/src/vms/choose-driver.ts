import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { QemuDriver } from '../qemu/qemu-driver.js';
import { StartRefusedError } from '../refusal.js';
import type { ManagerSettings } from '../settings.js';
import { StubDriver } from './stub-driver.js';
import type { VmDriver } from './vm-driver.js';

/** The driver that the settings ask for. @throws {StartRefusedError} when they contradict each other */
export function chooseDriver(settings: ManagerSettings): VmDriver {
  const { tee, vmDriver } = settings.own;
  if (vmDriver === 'stub' || (vmDriver === 'auto' && tee === 'none' && !hasQemu(settings.qemu))) {
    if (tee === 'none') return new StubDriver({ ports: settings.qemu.hostFwdRange });
    throw new StartRefusedError(`GLACIS_MANAGER_TEE: the stub starts no guests of type ${tee}`);
  }
  return qemuDriver(settings);
}

function qemuDriver({ own, qemu }: ManagerSettings): QemuDriver {
  const { tee, protocol: dialect, guestLink, vsockCommand: command } = own;
  if (tee === 'snp' && !qemu.enableSev && !qemu.enableSevSnp) {
    throw new StartRefusedError('MANAGER_QEMU_ENABLE_SEV_SNP: TEE snp needs it, or ENABLE_SEV');
  }
  if (!hasQemu(qemu)) {
    throw new StartRefusedError(`MANAGER_QEMU_BIN_PATH: ${qemu.binPath} cannot be run`);
  }
  return new QemuDriver({
    settings: qemu,
    tee,
    dialect,
    link: guestLink === 'serial' ? { kind: 'serial' } : { kind: 'vsock', command },
    information: () => Promise.resolve(Buffer.from('{}')),
  });
}

/** Whether the program is there: at the path, or in the folders of PATH when it has none. */
function hasQemu({ binPath, useSudo }: ManagerSettings['qemu']): boolean {
  // What root may run is not ours to know.
  if (useSudo) return true;
  if (binPath.includes('/')) return isExecutable(binPath);
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, binPath)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
