import { VmRefusal, vmRefusals } from '@glacis/grpc';
import { systemClock, type Clock } from '@glacis/runtime';
import type { Log } from '../log.js';
import type { GuestReport, GuestShares, VmDriver } from '../vms/vm-driver.js';

export interface VmsOptions {
  driver: VmDriver;
  /** VMs at once, those that are still starting included. */
  max: number;
  newId: () => string;
  log: Log;
  clock?: Clock;
}

/** `setTimeout` takes no longer delay. */
const longestDelayMs = 2 ** 31 - 1;

/** The VMs of this host in generation B: each lives until it is removed, its time is over, or it ends by itself. */
export class Vms {
  /** By id; the timer is that of its end. */
  private readonly vms = new Map<string, { timer?: NodeJS.Timeout }>();

  constructor(private readonly options: VmsOptions) {}

  get size(): number {
    return this.vms.size;
  }

  has(id: string): boolean {
    return this.vms.has(id);
  }

  /** Takes charge of the VMs that a killed predecessor has left. Called once, before anything else. */
  async recover(): Promise<void> {
    const { driver, log } = this.options;
    for (const left of await driver.recover((id, report) => this.hear(id, report))) {
      if (left.kind === 'cvm') {
        log.info({ id: left.id }, 'VM of a predecessor found');
        this.keep(left.id, left.expiresAt);
      } else await driver.stop(left.id);
    }
  }

  /**
   * @param sharesOf makes what the guest reads at boot, for the id that it gets
   * @param ttlMs the VM is removed after it
   * @throws {VmRefusal} when there are too many
   */
  async create(
    sharesOf: (id: string) => GuestShares,
    ttlMs: number | undefined,
  ): Promise<{ id: string; port: string }> {
    const { driver, max, newId, clock = systemClock } = this.options;
    if (this.vms.size >= max) throw new VmRefusal(vmRefusals.tooMany);
    const id = newId();
    const expiresAt =
      ttlMs === undefined ? undefined : new Date(clock.now().getTime() + Math.max(ttlMs, 0));
    this.vms.set(id, {});
    try {
      const order = {
        kind: 'cvm',
        id,
        shares: sharesOf(id),
        ...(expiresAt && { expiresAt }),
      } as const;
      const { port } = await driver.start(order, (report) => this.hear(id, report));
      // It may have ended already.
      if (this.vms.has(id)) this.keep(id, expiresAt);
      return { id, port };
    } catch (error) {
      this.forget(id);
      throw error instanceof VmRefusal ? error : new VmRefusal((error as Error).message);
    }
  }

  /** @throws {VmRefusal} when it is unknown or does not end */
  async remove(id: string): Promise<void> {
    if (!this.vms.has(id)) throw new VmRefusal(vmRefusals.notFound);
    await this.options.driver.stop(id);
    this.forget(id);
  }

  /** Removes all of them. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.vms.keys()].map((id) => this.remove(id)));
  }

  private keep(id: string, expiresAt: Date | undefined): void {
    this.forget(id);
    this.vms.set(id, expiresAt ? { timer: this.expire(id, expiresAt) } : {});
  }

  private expire(id: string, at: Date): NodeJS.Timeout {
    const { clock = systemClock, log } = this.options;
    const left = at.getTime() - clock.now().getTime();
    const timer = setTimeout(
      () => {
        if (left > longestDelayMs) return this.keep(id, at);
        log.info({ id }, 'VM removed at the end of its time');
        this.remove(id).catch((error: unknown) => log.error({ id, err: error }, 'VM not removed'));
      },
      Math.min(Math.max(left, 0), longestDelayMs),
    );
    return timer.unref();
  }

  private forget(id: string): void {
    clearTimeout(this.vms.get(id)?.timer);
    this.vms.delete(id);
  }

  private hear(id: string, report: GuestReport): void {
    const { log } = this.options;
    if (report.kind === 'log') log.debug({ id, text: report.text }, 'console of a VM');
    if (report.kind !== 'failed') return;
    log.warn({ id, reason: report.reason }, 'VM has ended');
    this.forget(id);
  }
}
