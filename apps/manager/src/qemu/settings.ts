import {
  choice,
  defineSettings,
  flag,
  integer,
  optionalText,
  setting,
  text,
  type Values,
} from '@glacis/settings';
import { z } from 'zod';

const memory = z.string().regex(/^\d{1,6}[KMGT]?$/i, 'expected a size such as 2048M');
const onOff = choice('on', 'off');
const anyText = z.string();

const portRange: z.ZodType<{ first: number; last: number }> = z
  .string()
  .transform((input, context) => {
    const [, first = '', last = ''] = /^(\d{1,5})-(\d{1,5})$/.exec(input.trim()) ?? [];
    const range = { first: Number(first), last: Number(last) };
    if (first && range.first >= 1 && range.first <= range.last && range.last <= 65_535)
      return range;
    context.addIssue({ code: 'custom', message: 'expected ports such as 6100-6200', input });
    return z.NEVER;
  });

/** The QEMU variables of upstream managers, unchanged (`backends.md` 14). */
export const qemuSettings = defineSettings('MANAGER_QEMU_', {
  binPath: setting(text, 'qemu-system-x86_64', 'Program that runs a guest.'),
  useSudo: setting(flag, 'false', 'Run it by sudo, which must ask for no password.'),
  enableSev: setting(flag, 'false', 'SEV guests where the host is no SNP host; for TEE snp.'),
  enableSevSnp: setting(flag, 'true', 'SEV-SNP guests; for TEE snp.'),
  enableKvm: setting(flag, 'true', 'Hardware virtualization; without it guests are emulated.'),
  tmpFileLoc: setting(text, 'tmp', 'Folder in which each guest gets a folder of its own.'),
  noGraphic: setting(flag, 'true', 'No display.'),
  monitor: setting(text, 'pty', 'Where the monitor of a guest is, in words of QEMU.'),
  machine: setting(text, 'q35', 'Machine type.'),
  cpu: setting(text, 'EPYC', 'Processor model.'),
  smpCount: setting(integer(1, 1024), '4', 'Processors of a guest.'),
  smpMaxcpus: setting(integer(1, 1024), '64', 'Processors that it could have.'),
  memId: setting(text, 'ram1', 'Name of its memory.'),
  memorySize: setting(memory, '2048M', 'Size of its memory.'),
  memorySlots: setting(integer(0, 256), '5', 'Slots for more.'),
  maxMemory: setting(memory, '30G', 'Size that it could have.'),
  kernelHash: setting(flag, 'false', 'Measure kernel, initrd and command line of SEV guests.'),
  ovmfCodeIf: setting(text, 'pflash', 'Interface of the firmware.'),
  ovmfCodeFormat: setting(text, 'raw', 'Its format.'),
  ovmfCodeUnit: setting(integer(0, 15), '0', 'Its unit.'),
  ovmfCodeFile: setting(text, '/usr/share/OVMF/OVMF_CODE.fd', 'Its file.'),
  ovmfCodeReadonly: setting(onOff, 'on', 'Whether guests may not write to it.'),
  ovmfVarsIf: setting(text, 'pflash', "Interface of the firmware's variables."),
  ovmfVarsFormat: setting(text, 'raw', 'Their format.'),
  ovmfVarsUnit: setting(integer(0, 15), '1', 'Their unit.'),
  ovmfVarsFile: setting(
    text,
    '/usr/share/OVMF/OVMF_VARS.fd',
    'Their file; each guest gets a copy.',
  ),
  ovmfFile: setting(text, '/usr/share/ovmf/OVMF.fd', 'Firmware of TDX guests.'),
  netdevId: setting(text, 'vmnic', 'Name of the network card.'),
  guestFwdAgent: setting(integer(1, 65_535), '7002', 'Port of the agent in the guest.'),
  hostFwdRange: setting(
    portRange,
    '6100-6200',
    'Ports of the host that lead to agents, one per guest; HOST_FWD_AGENT of older builds is not read.',
  ),
  virtioNetPciDisableLegacy: setting(onOff, 'on', 'No legacy mode of the card.'),
  virtioNetPciIommuPlatform: setting(flag, 'true', 'The card goes through the IOMMU.'),
  virtioNetPciAddr: setting(text, '0x2', 'Its address on the PCI bus.'),
  virtioNetPciRomfile: setting(anyText, '', 'Its boot ROM.'),
  vsockId: setting(text, 'vhost-vsock-pci0', 'Name of the vsock device.'),
  vsockGuestCid: setting(
    integer(3, 0x7fff_ffff),
    '3',
    'Context id of the first guest; others follow.',
  ),
  vsockVnc: setting(integer(0, 99), '0', 'Number of the VNC display, with NO_GRAPHIC false.'),
  diskImgKernelFile: setting(text, 'img/bzImage', 'Kernel of the guests.'),
  diskImgRootfsFile: setting(text, 'img/rootfs.cpio.gz', 'Their initial file system.'),
  kernelCmdline: setting(text, 'quiet console=ttyS0', "The kernel's command line."),
  sevId: setting(text, 'sev0', 'Name of the SEV object.'),
  sevCbitpos: setting(integer(0, 63), '51', 'Position of the encryption bit.'),
  sevReducedPhysBits: setting(
    integer(0, 63),
    '1',
    'Bits of physical addresses that encryption takes.',
  ),
  hostData: setting(
    optionalText,
    '',
    'Host data of SNP guests, base64 of 32 bytes; a computation of v0.2 or later has the hash of its manifest instead.',
  ),
  tdxId: setting(text, 'tdx0', 'Name of the TDX object.'),
  quoteGenerationPort: setting(
    integer(1, 65_535),
    '4050',
    'Vsock port of the host that signs TDX quotes.',
  ),
});

export type QemuSettings = Values<typeof qemuSettings.shape>;
