import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '@glacis/observability';
import { systemClock, type Clock } from '@glacis/runtime';
import type { ApiServer } from '../api/api-server.js';
import { isKubeError } from '../api/kube-error.js';
import { microTime } from '../api/micro-time.js';
import type { ObjectRef } from '../api/objects.js';
import { ResourceClient } from '../api/resource-client.js';
import { builtIns, type ResourceType } from '../api/resource-type.js';
import { Candidacy, type LeaseRecord } from './candidacy.js';
import { Term } from './term.js';

export interface LeaderElectorOptions {
  server: ApiServer;
  /** The Lease that all candidates go for. */
  lease: ObjectRef;
  /** Of this process and no other, also after a restart: the pod's name and something random. */
  identity: string;
  /** Does the leader's work. Resolves when nothing of it is under way, soon after the term's signal; earlier, it ends the term. */
  lead: (term: Term) => Promise<void>;
  /** Milliseconds after which others take over from a leader that went away; whole seconds. Default 15,000. */
  leaseMs?: number;
  /** Milliseconds after the last renewal at which a leader stops; less than `leaseMs`. Default 10,000. */
  renewDeadlineMs?: number;
  /** Milliseconds between renewals, and between looks at another's lease. Default 2,000. */
  retryMs?: number;
  logger: Logger;
  metrics: Metrics;
  /** For the times in the Lease, which nobody decides by. */
  clock?: Clock;
}

/** Of a lease that was made because there was none. */
const unknownHolder = 'unknown';

type Lease = (typeof builtIns)['leases'] extends ResourceType<infer T> ? T : never;

/**
 * Sees to it that of several replicas one leads at a time, by a Lease. Whoever loses it goes on as a candidate. A term ends
 * `leaseMs - renewDeadlineMs` before another may begin; calls under way are aborted then, and none go out after it. Where
 * there is no Lease one is made, and taken after `leaseMs`; one that is installed without a holder is taken at once.
 */
export class LeaderElector {
  private readonly leaseMs: number;
  private readonly renewDeadlineMs: number;
  private readonly retryMs: number;
  private readonly client: ResourceClient<Lease>;
  private readonly candidacy: Candidacy;
  private readonly stopping = new AbortController();
  private readonly metrics: { leads(leads: boolean): void };
  private running: Promise<void> | undefined;
  private term: Term | undefined;

  constructor(private readonly options: LeaderElectorOptions) {
    this.leaseMs = options.leaseMs ?? 15_000;
    this.renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.retryMs = options.retryMs ?? 2_000;
    if (this.leaseMs % 1000 !== 0 || this.renewDeadlineMs >= this.leaseMs) {
      throw new RangeError('leaseMs must be whole seconds, and renewDeadlineMs less than it');
    }
    // One call that hangs leaves time for another before the deadline.
    this.client = new ResourceClient(
      options.server.within(this.renewDeadlineMs / 3),
      builtIns.leases,
    );
    this.candidacy = new Candidacy(options.identity);
    this.metrics = leaderMetrics(options.metrics, options.lease.name);
  }

  get isLeader(): boolean {
    return this.term?.holds() ?? false;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Ends the term, waits until its work has ended, and gives the lease away, so that another may begin at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const taken = await this.attempt(() => this.take());
      if (taken) await this.leadFor(taken);
      await this.pause(this.retryMs * (1 + Math.random() / 5));
    }
  }

  /** @returns the lease and until when it is held; undefined while another holds it */
  private async take(): Promise<Held | undefined> {
    const lease = await this.client.find(this.options.lease);
    if (lease === undefined) await this.write(undefined, unknownHolder);
    if (!lease || !this.candidacy.mayTake(recordOf(lease), performance.now())) return undefined;
    return this.write(lease, this.options.identity);
  }

  private async leadFor(held: Held): Promise<void> {
    const { logger, identity, lead } = this.options;
    const term = new Term(held.lease.spec?.leaseTransitions ?? 0, held.until);
    this.term = term;
    this.metrics.leads(true);
    logger.info({ identity, epoch: term.epoch }, 'leads');
    const leading = lead(term)
      .catch((err: unknown) => {
        logger.error({ err, epoch: term.epoch }, 'the work of the leader ended with an error');
      })
      .finally(() => term.end());
    const last = await this.keep(held.lease, term);
    term.end();
    await leading;
    this.metrics.leads(false);
    logger.info({ identity, epoch: term.epoch }, 'leads no more');
    if (this.stopping.signal.aborted) await this.attempt(() => this.write(last, ''));
  }

  /** Renews until the term is over or this process stops. @returns the lease as it was last written */
  private async keep(lease: Lease, term: Term): Promise<Lease> {
    let last = lease;
    while (!this.stopping.signal.aborted && term.holds()) {
      await this.pause(this.retryMs, term.signal);
      if (this.stopping.signal.aborted || !term.holds()) break;
      const renewed = await this.attempt(() => this.renew(last, term));
      if (!renewed) continue;
      last = renewed.lease;
      term.extend(renewed.until);
    }
    return last;
  }

  private async renew(lease: Lease, term: Term): Promise<Held | undefined> {
    try {
      return await this.write(lease, this.options.identity);
    } catch (error) {
      if (!isKubeError(error, 'conflict', 'notFound')) throw error;
    }
    // Somebody else wrote it, or our own write whose answer was lost.
    const current = await this.client.find(this.options.lease);
    if (current?.spec?.holderIdentity === this.options.identity) {
      return this.write(current, this.options.identity);
    }
    term.end();
    return undefined;
  }

  private async write(lease: Lease | undefined, holder: string): Promise<Held> {
    const time = microTime((this.options.clock ?? systemClock).now());
    const spec = { ...specFor(lease, holder, time), leaseDurationSeconds: this.leaseMs / 1000 };
    const until = performance.now() + this.renewDeadlineMs;
    const written = lease
      ? await this.client.replace({ ...lease, spec })
      : await this.client.create({ metadata: this.options.lease, spec });
    return { lease: written, until };
  }

  private async attempt<R>(call: () => Promise<R>): Promise<R | undefined> {
    try {
      return await call();
    } catch (err) {
      const lost = isKubeError(err, 'conflict', 'alreadyExists');
      this.options.logger[lost ? 'debug' : 'warn']({ err }, 'the lease could not be written');
      return undefined;
    }
  }

  private async pause(ms: number, signal: AbortSignal = this.stopping.signal): Promise<void> {
    const stops = this.stopping.signal;
    const waiting = new AbortController();
    const wake = (): void => waiting.abort();
    for (const each of [stops, signal]) each.addEventListener('abort', wake);
    if (stops.aborted || signal.aborted) wake();
    await sleep(ms, undefined, { signal: waiting.signal }).catch(() => undefined);
    for (const each of [stops, signal]) each.removeEventListener('abort', wake);
  }
}

interface Held {
  lease: Lease;
  /** Monotonic milliseconds. */
  until: number;
}

function specFor(lease: Lease | undefined, holder: string, time: string): Lease['spec'] {
  const before = { ...lease?.spec };
  const renewed = { ...before, holderIdentity: holder, renewTime: time };
  if (holder === '' || before.holderIdentity === holder) return renewed;
  const leaseTransitions = lease ? (before.leaseTransitions ?? 0) + 1 : 0;
  return { ...renewed, acquireTime: time, leaseTransitions };
}

function recordOf({ metadata, spec }: Lease): LeaseRecord {
  return {
    resourceVersion: metadata.resourceVersion,
    holder: spec?.holderIdentity,
    durationMs: (spec?.leaseDurationSeconds ?? 0) * 1000,
  };
}

function leaderMetrics(metrics: Metrics, lease: string): { leads(leads: boolean): void } {
  const leader = metrics.gauge({
    name: 'glacis_kube_leader',
    help: '1 while this process leads',
    labels: ['lease'],
  });
  const terms = metrics.counter({
    name: 'glacis_kube_leader_terms_total',
    help: 'Terms that this process began to lead',
    labels: ['lease'],
  });
  leader.set({ lease }, 0);
  return {
    leads: (leads) => {
      leader.set({ lease }, leads ? 1 : 0);
      if (leads) terms.inc({ lease });
    },
  };
}
