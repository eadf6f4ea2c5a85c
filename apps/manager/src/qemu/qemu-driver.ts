import { resolve } from 'node:path';
import type { DialectName } from '@glacis/grpc';
import type { GuestOrder, GuestReport, LeftGuest, VmDriver } from '../vms/vm-driver.js';
import { qemuArguments, type GuestPlace, type Tee } from './command-line.js';
import { GuestFolder, leftGuest, type GuestRecord } from './guest-folder.js';
import { VsockLink, type GuestLink } from './guest-link.js';
import { HostNumbers, isPortFree } from './host-numbers.js';
import { hostDataOf, manifestOf } from './manifest.js';
import { Processes } from './processes.js';
import { QemuGuest } from './qemu-guest.js';
import type { QemuSettings } from './settings.js';

export interface QemuDriverOptions {
  settings: QemuSettings;
  tee: Tee;
  /** How manifests are written. */
  dialect: DialectName;
  /**
   * How the agents of computations are reached; for vsock the program that hands a manifest on and its arguments, in
   * which `{cid}` is the guest's context id.
   */
  link: { kind: 'serial' } | { kind: 'vsock'; command: readonly string[] };
  /** What the host measures of itself. */
  information: () => Promise<Buffer>;
}

type Report = (report: GuestReport) => void;

/** A guest from its order to its removal, with what it occupies. */
interface Tenancy {
  readonly record: GuestRecord;
  readonly guest: QemuGuest;
  /** Settles when the guest was started, or could not be. */
  begun: Promise<void>;
  /** Its removal, once that is under way. */
  leaving?: Promise<void>;
}

/** Guests of QEMU. They outlive the manager, and the next one takes charge of them. */
export class QemuDriver implements VmDriver {
  private readonly tenancies = new Map<string, Tenancy>();
  private readonly processes: Processes;
  private readonly base: string;
  private readonly ports: HostNumbers;
  private readonly cids: HostNumbers;

  constructor(private readonly options: QemuDriverOptions) {
    const { useSudo, tmpFileLoc, hostFwdRange, vsockGuestCid: first } = options.settings;
    this.processes = new Processes({ useSudo });
    this.base = resolve(tmpFileLoc);
    this.ports = new HostNumbers('port', hostFwdRange, isPortFree);
    this.cids = new HostNumbers('vsock context id', { first, last: first + 0xffff });
  }

  async start(order: GuestOrder, report: Report): Promise<{ port: string }> {
    const { kind, id } = order;
    const expiresAt = order.kind === 'cvm' ? order.expiresAt : undefined;
    const tenancy: Tenancy = {
      record: { kind, id, port: 0, expiresAt },
      guest: new QemuGuest(GuestFolder.fresh(this.base), this.processes, report),
      begun: Promise.resolve(),
    };
    this.tenancies.set(id, tenancy);
    report({ kind: 'provisioning' });
    tenancy.begun = this.begin(order, tenancy);
    try {
      await tenancy.begun;
    } catch (error) {
      await this.leave(tenancy);
      throw error;
    }
    this.watch(tenancy, report);
    return { port: String(tenancy.record.port) };
  }

  async stop(id: string): Promise<void> {
    const tenancy = this.tenancies.get(id);
    if (tenancy !== undefined) await this.leave(tenancy);
  }

  async recover(report: (id: string, report: GuestReport) => void): Promise<LeftGuest[]> {
    const left: LeftGuest[] = [];
    for (const folder of await GuestFolder.list(this.base)) {
      const record = await folder.record();
      if (record !== undefined && (await this.processes.running(folder.path))) {
        await this.adopt(folder, record, (said) => report(record.id, said));
        left.push(leftGuest(record));
      } else {
        await this.processes.end(folder.path);
        await folder.remove();
      }
    }
    return left;
  }

  information(): Promise<Buffer> {
    return this.options.information();
  }

  guest(): ReturnType<VmDriver['guest']> {
    const { smpCount: cpuNum, cpu: cpuType, kernelCmdline: kernelCmd } = this.options.settings;
    return { ovmfVersion: '', cpuNum, cpuType, kernelCmd };
  }

  private async begin(order: GuestOrder, { record, guest }: Tenancy): Promise<void> {
    const { settings, tee } = this.options;
    record.port = await this.ports.take();
    if (order.kind === 'computation' && this.options.link.kind === 'vsock')
      record.cid = await this.cids.take();
    await guest.folder.create(record);
    const manifest =
      order.kind === 'computation' ? manifestOf(order.run, this.options.dialect) : undefined;
    const place = await this.placeOf(order, guest.folder, { record, manifest });
    await guest.launch(settings.binPath, qemuArguments(settings, tee, place));
    if (manifest === undefined) return;
    const link = await this.linkOf(guest, record);
    await link.deliver(manifest, guest.ended);
  }

  private async placeOf(
    order: GuestOrder,
    folder: GuestFolder,
    { record, manifest }: { record: GuestRecord; manifest: Buffer | undefined },
  ): Promise<GuestPlace> {
    const { settings, dialect } = this.options;
    await folder.addVars(settings.ovmfVarsFile);
    const hashed = manifest !== undefined && dialect !== 'seed';
    return {
      port: record.port,
      varsFile: folder.varsFile,
      consoleSocket: folder.consoleSocket,
      hostData: hashed ? hostDataOf(manifest) : settings.hostData,
      ...(order.kind === 'cvm'
        ? { shares: await folder.addShares(order.shares) }
        : { link: this.placeOfLink(folder, record) }),
    };
  }

  private placeOfLink(folder: GuestFolder, { cid }: GuestRecord): GuestPlace['link'] {
    return cid === undefined
      ? { kind: 'serial', socket: folder.agentSocket }
      : { kind: 'vsock', cid };
  }

  private async linkOf(guest: QemuGuest, { cid }: GuestRecord): Promise<GuestLink> {
    const { link } = this.options;
    if (link.kind === 'serial') return guest.serialLink();
    return new VsockLink(link.command.map((part) => part.replaceAll('{cid}', String(cid))));
  }

  /** A guest that could not be listened to any more is as good as gone. */
  private async adopt(folder: GuestFolder, record: GuestRecord, report: Report): Promise<void> {
    const guest = new QemuGuest(folder, this.processes, report);
    this.ports.reserve(record.port);
    if (record.cid !== undefined) this.cids.reserve(record.cid);
    const tenancy: Tenancy = { record, guest, begun: guest.attach() };
    this.tenancies.set(record.id, tenancy);
    await tenancy.begun;
    this.watch(tenancy, report);
  }

  /** Tells of a guest that ends by itself. */
  private watch(tenancy: Tenancy, report: Report): void {
    const { ended } = tenancy.guest;
    const tell = (): void => {
      if (tenancy.leaving !== undefined) return;
      const { message: reason } = ended.reason as Error;
      const failed = (): void => report({ kind: 'failed', reason });
      void this.leave(tenancy).then(failed, failed);
    };
    if (ended.aborted) tell();
    else ended.addEventListener('abort', tell, { once: true });
  }

  private leave(tenancy: Tenancy): Promise<void> {
    tenancy.leaving ??= this.vacate(tenancy).catch((error: unknown) => {
      tenancy.leaving = undefined;
      throw error;
    });
    return tenancy.leaving;
  }

  private async vacate(tenancy: Tenancy): Promise<void> {
    const { guest, record, begun } = tenancy;
    guest.giveUp();
    await begun.catch(() => undefined);
    await guest.remove();
    this.ports.release(record.port);
    if (record.cid !== undefined) this.cids.release(record.cid);
    if (this.tenancies.get(record.id) === tenancy) this.tenancies.delete(record.id);
  }
}
