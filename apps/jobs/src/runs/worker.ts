import { availableParallelism } from 'node:os';
import { LOGGER, type Logger } from '@glacis/observability';
import { Loop, newId } from '@glacis/runtime';
import { Store } from '@glacis/store';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { Driver } from './driver.js';
import {
  claimJobs,
  leaseMs,
  releaseLease,
  renewLeases,
  renewMs,
  type Lease,
} from './leases.store.js';

/** Milliseconds between two looks for jobs, as another replica may have queued or lost them. */
const lookMs = 1_000;

interface Held extends Lease {
  /** Fired when the lease is lost, or the service stops. */
  control: AbortController;
  /** When it was last renewed, by this process's clock. */
  renewedAt: number;
  work: Promise<void>;
}

/** Works on the jobs of the queue, a few at a time: claims them by leases, which other replicas respect. */
@Injectable()
export class Worker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly replica = newId();
  private readonly held = new Map<string, Held>();
  private readonly slots: number;
  private readonly claims: Loop;
  private readonly renewals: Loop;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Driver) private readonly driver: Driver,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(SETTINGS) { runsParallel }: JobsSettings,
  ) {
    this.slots = runsParallel || Math.max(2, availableParallelism());
    const onError = (err: unknown): void => this.logger.warn({ err }, 'work on jobs is held up');
    this.claims = new Loop({
      name: 'jobs of the queue',
      intervalMs: lookMs,
      run: () => this.claim(),
      onError,
    });
    this.renewals = new Loop({
      name: 'leases of jobs',
      intervalMs: renewMs,
      run: () => this.renew(),
      onError,
    });
  }

  /** True while a further job would be begun at once. */
  get hasRoom(): boolean {
    return this.held.size < this.slots;
  }

  /** Jobs that it has begun with. */
  get running(): number {
    return this.held.size;
  }

  onApplicationBootstrap(): void {
    this.claims.start();
    this.renewals.start();
  }

  /** There may be something to do. */
  wake(): void {
    this.claims.wake();
  }

  /** Hands its jobs over: the leases end, other replicas go on with them. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.claims.stop(), this.renewals.stop()]);
    const all = [...this.held.values()];
    for (const { control } of all) control.abort();
    await Promise.all(all.map(({ work }) => work));
  }

  private async claim(): Promise<void> {
    if (!this.hasRoom) return;
    const limit = this.slots - this.held.size;
    const { replica } = this;
    for (const lease of await claimJobs(this.store, { replica, leaseMs, limit })) this.take(lease);
  }

  private take(lease: Lease): void {
    const control = new AbortController();
    const work = this.driver
      .drive(lease, control.signal)
      .catch((err: unknown) => {
        if (!control.signal.aborted)
          this.logger.warn({ err, job: lease.job }, 'a job is left to whoever claims it next');
      })
      .then(() => releaseLease(this.store, lease.token))
      .catch(() => undefined)
      .finally(() => {
        this.held.delete(lease.token);
        this.claims.wake();
      });
    this.held.set(lease.token, { ...lease, control, work, renewedAt: performance.now() });
  }

  private async renew(): Promise<void> {
    if (this.held.size === 0) return;
    const asked = performance.now();
    const all = [...this.held.values()];
    try {
      const tokens = all.map(({ token }) => token);
      const renewed = await renewLeases(this.store, tokens, leaseMs);
      for (const held of all) {
        if (renewed.has(held.token)) held.renewedAt = asked;
        else held.control.abort();
      }
    } finally {
      // Nothing may go on here once another replica may have begun with it.
      for (const held of all)
        if (held.renewedAt < performance.now() - leaseMs) held.control.abort();
    }
  }
}
