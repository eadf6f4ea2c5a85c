import type { QemuSettings } from './settings.js';

/** What kind of machine a guest runs in. */
export type Tee = 'none' | 'snp' | 'tdx';

/** What differs from guest to guest. */
export interface GuestPlace {
  /** Port of the host that leads to its agent. */
  port: number;
  /** Copy of the firmware's variables. */
  varsFile: string;
  /** Unix socket at which QEMU offers the serial console; it waits there for the first listener. */
  consoleSocket: string;
  /** How the agent is reached: over vsock, or by a virtio-serial port behind a Unix socket. */
  link?: { kind: 'vsock'; cid: number } | { kind: 'serial'; socket: string };
  /** Base64; for SNP. */
  hostData?: string;
  /** Folders that the guest may read, by mount tag. */
  shares?: Readonly<Record<string, string>>;
}

/** Name of the virtio-serial port in the guest, below `/sys/class/virtio-ports`. */
export const agentPortName = 'org.glacis.agent';

type Argument = readonly [flag: string] | readonly [flag: string, value: string];
type Options = Readonly<Record<string, string | number>>;

/** The arguments of QEMU for one guest (`backends.md` 14, row QEMU). A pure function: nothing is looked up. */
export function qemuArguments(settings: QemuSettings, tee: Tee, place: GuestPlace): string[] {
  const args: Argument[] = [
    ...when(settings.enableKvm, ['-enable-kvm']),
    ...machine(settings, tee),
    ...processorAndMemory(settings),
    ...protection(settings, tee, place),
    ...firmware(settings, tee, place),
    ...network(settings, place),
    ...terminal(settings, tee, place),
    ...link(settings, place),
    ...shares(place),
    ...boot(settings),
  ];
  return args.flatMap((argument) => [...argument]);
}

function machine(settings: QemuSettings, tee: Tee): Argument[] {
  const { memId, sevId, tdxId } = settings;
  const protections: Record<Tee, Options> = {
    none: {},
    snp: { 'memory-backend': memId, 'memory-encryption': sevId, vmport: 'off' },
    tdx: { 'memory-backend': memId, 'confidential-guest-support': tdxId, kernel_irqchip: 'split' },
  };
  return [['-machine', option(settings.machine, protections[tee])]];
}

function processorAndMemory(settings: QemuSettings): Argument[] {
  const { cpu, smpCount, smpMaxcpus, memorySize, memorySlots, maxMemory } = settings;
  return [
    ['-cpu', cpu],
    ['-smp', option(smpCount, { maxcpus: smpMaxcpus })],
    ['-m', option(memorySize, { slots: memorySlots, maxmem: maxMemory })],
  ];
}

function protection(settings: QemuSettings, tee: Tee, place: GuestPlace): Argument[] {
  if (tee === 'none') return [];
  const { memId: id, memorySize: size } = settings;
  return [
    ['-object', option('memory-backend-memfd-private', { id, size, share: 'true' })],
    ['-object', tee === 'snp' ? sevObject(settings, place) : tdxObject(settings)],
  ];
}

function sevObject(settings: QemuSettings, { hostData }: GuestPlace): string {
  const snp = settings.enableSevSnp;
  return option(snp ? 'sev-snp-guest' : 'sev-guest', {
    id: settings.sevId,
    cbitpos: settings.sevCbitpos,
    'reduced-phys-bits': settings.sevReducedPhysBits,
    ...(settings.kernelHash && { 'kernel-hashes': 'on' }),
    ...(snp && hostData !== undefined && { 'host-data': hostData }),
  });
}

/** The only option that QEMU takes as JSON alone: an address within an object. */
function tdxObject({ tdxId, quoteGenerationPort }: QemuSettings): string {
  return JSON.stringify({
    'qom-type': 'tdx-guest',
    id: tdxId,
    'quote-generation-socket': { type: 'vsock', cid: '2', port: String(quoteGenerationPort) },
  });
}

function firmware(settings: QemuSettings, tee: Tee, { varsFile }: GuestPlace): Argument[] {
  if (tee === 'tdx') return [['-nodefaults'], ['-bios', settings.ovmfFile]];
  const code = {
    if: settings.ovmfCodeIf,
    format: settings.ovmfCodeFormat,
    unit: settings.ovmfCodeUnit,
    file: settings.ovmfCodeFile,
    readonly: settings.ovmfCodeReadonly,
  };
  const vars = {
    if: settings.ovmfVarsIf,
    format: settings.ovmfVarsFormat,
    unit: settings.ovmfVarsUnit,
    file: varsFile,
  };
  return [
    ['-drive', options(code)],
    ['-drive', options(vars)],
  ];
}

function network(settings: QemuSettings, { port }: GuestPlace): Argument[] {
  const { netdevId, guestFwdAgent } = settings;
  const card = {
    'disable-legacy': settings.virtioNetPciDisableLegacy,
    iommu_platform: String(settings.virtioNetPciIommuPlatform),
    netdev: netdevId,
    addr: settings.virtioNetPciAddr,
    romfile: settings.virtioNetPciRomfile,
  };
  const hostfwd = `tcp::${port}-:${guestFwdAgent}`;
  return [
    ['-netdev', option('user', { id: netdevId, hostfwd })],
    ['-device', option('virtio-net-pci', card)],
  ];
}

function terminal(settings: QemuSettings, tee: Tee, { consoleSocket }: GuestPlace): Argument[] {
  const display: Argument = settings.noGraphic ? ['-nographic'] : ['-vnc', `:${settings.vsockVnc}`];
  return [
    display,
    ['-chardev', option('socket', { id: 'console', path: consoleSocket, server: 'on' })],
    ['-serial', 'chardev:console'],
    // Without its defaults a TDX guest has no monitor, and needs none.
    ...when(tee !== 'tdx', ['-monitor', settings.monitor]),
    ['-no-reboot'],
  ];
}

function link(settings: QemuSettings, { link: to }: GuestPlace): Argument[] {
  if (to === undefined) return [];
  if (to.kind === 'vsock') {
    return [['-device', option('vhost-vsock-pci', { id: settings.vsockId, 'guest-cid': to.cid })]];
  }
  return [
    ['-device', 'virtio-serial-pci'],
    ['-chardev', option('socket', { id: 'agent', path: to.socket, server: 'on' })],
    ['-device', option('virtserialport', { chardev: 'agent', name: agentPortName })],
  ];
}

function shares({ shares: folders = {} }: GuestPlace): Argument[] {
  return Object.entries(folders).flatMap(([tag, path]) => [
    ['-fsdev', option('local', { id: tag, path, security_model: 'none', readonly: 'on' })],
    ['-device', option('virtio-9p-pci', { fsdev: tag, mount_tag: tag })],
  ]);
}

function boot(settings: QemuSettings): Argument[] {
  const { diskImgKernelFile, diskImgRootfsFile, kernelCmdline } = settings;
  return [
    ['-kernel', diskImgKernelFile],
    ['-initrd', diskImgRootfsFile],
    ['-append', kernelCmdline],
  ];
}

function when(holds: boolean, argument: Argument): Argument[] {
  return holds ? [argument] : [];
}

function option(first: string | number, rest: Options): string {
  return [first, options(rest)].filter((part) => part !== '').join(',');
}

/** QEMU ends a value at a comma, unless that is doubled. */
function options(values: Options): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${String(value).replaceAll(',', ',,')}`)
    .join(',');
}
