import type { Logger } from '@glacis/observability';
import { coalesce, Loop } from '@glacis/runtime';
import type { HeldLock, Store } from '@glacis/store';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusClosedError, type BusDriver, type BusMessage } from '../bus.js';
import type { EventsMetrics } from '../metrics/events-metrics.js';

export interface RelayOptions {
  service: string;
  store: Store;
  bus: BusDriver;
  logger: Logger;
  metrics: EventsMetrics;
  /** Milliseconds between two looks into the outbox when nothing wakes the relay. */
  pollMs: number;
  /** Events of one read and one publish at most. */
  batch: number;
  /**
   * Events published but not yet taken by all groups, at most. A group that is slow or cannot write holds up the others
   * only when so many wait for it.
   */
  maxInFlight: number;
}

const lockName = 'event relay';

/** Reading costs the more, the more is on its way, so it waits for that many milliseconds and finds more at once. */
const inFlightPerMs = 100;

/**
 * Milliseconds of rest after a read, for each row that it gave: a read and a publish of many rows cost hardly more than
 * of one. At rest an event leaves at once; from some 500 per second on they leave together.
 */
const restPerRowMs = 2;
const longestRestMs = 25;

interface OutboxRow extends BusMessage {
  seq: string;
}

/**
 * Brings a service's events from its outbox to the bus, in the order in which they were added, one relay per service
 * among all replicas. It reads on while earlier batches are still being taken.
 */
export class Relay {
  private readonly loop: Loop;
  private readonly inFlight = new Set<string>();
  private readonly publishing = new Set<Promise<void>>();
  private readonly mark: (seqs: string[]) => Promise<void>;
  private lock: HeldLock | null = null;
  private restUntil = 0;
  private stopping = false;

  constructor(private readonly options: RelayOptions) {
    const { service, pollMs, logger } = options;
    this.loop = new Loop({
      name: `event relay of ${service}`,
      intervalMs: pollMs,
      run: () => this.run(),
      onError: (error) => logger.warn({ err: error, service }, 'event relay interrupted'),
    });
    this.mark = coalesce(async (batches: string[][]) => {
      await this.markPublished(batches.flat());
      return batches.map(() => undefined);
    });
  }

  start(): void {
    this.loop.start();
  }

  /** To be called after a commit that added events. */
  wake(): void {
    this.loop.wake();
  }

  /** Reads no more, waits until what is on its way is taken or the bus is closed, and lets another replica relay. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    await Promise.all(this.publishing);
    await this.lock?.release();
    this.lock = null;
  }

  private async run(): Promise<void> {
    if (await this.leads()) return this.relay();
    // What was committed here is for the replica that relays; it would see it only when it polls.
    await this.options.store.nudge(lockName);
  }

  private async relay(): Promise<void> {
    const { batch, maxInFlight } = this.options;
    let more = true;
    while (more && !this.stopping && this.inFlight.size < maxInFlight && (await this.leads())) {
      await this.gather();
      const rows = await this.read();
      this.restUntil = performance.now() + Math.min(longestRestMs, rows.length * restPerRowMs);
      if (rows.length > 0) this.publish(rows);
      more = rows.length === batch;
    }
  }

  private async gather(): Promise<void> {
    const ms = Math.max(this.inFlight.size / inFlightPerMs, this.restUntil - performance.now());
    if (ms >= 1) await sleep(ms);
  }

  private async leads(): Promise<boolean> {
    if (this.lock?.lost.aborted) this.lock = null;
    this.lock ??= await this.options.store.tryLock(lockName, () => this.wake());
    return this.lock !== null;
  }

  /** Unpublished rows in order. Rows may become visible out of order, so none is passed over by its number. */
  private async read(): Promise<OutboxRow[]> {
    return this.options.store.query<OutboxRow>(
      `SELECT seq, topic, event_id AS id, key, type, envelope AS value FROM outbox
       WHERE published_at IS NULL AND seq <> ALL ($1::bigint[]) ORDER BY seq LIMIT $2`,
      [[...this.inFlight], this.options.batch],
    );
  }

  private publish(rows: readonly OutboxRow[]): void {
    const seqs = rows.map(({ seq }) => seq);
    seqs.forEach((seq) => this.inFlight.add(seq));
    const done = this.deliver(rows, seqs).finally(() => {
      const wasFull = this.inFlight.size >= this.options.maxInFlight;
      seqs.forEach((seq) => this.inFlight.delete(seq));
      this.publishing.delete(done);
      if (wasFull) this.wake();
    });
    this.publishing.add(done);
  }

  private async deliver(rows: readonly OutboxRow[], seqs: string[]): Promise<void> {
    const { service, bus, logger, metrics } = this.options;
    try {
      await bus.publish(rows);
      await this.mark(seqs);
      metrics.published(rows.length);
    } catch (error) {
      // Not marked, so they are read again; consumers that have them already know them by their inbox.
      if (!(error instanceof BusClosedError)) {
        logger.warn({ err: error, service }, 'events not published, will be tried again');
      }
    }
  }

  private async markPublished(seqs: readonly string[]): Promise<void> {
    await this.options.store.query(
      'UPDATE outbox SET published_at = now() WHERE seq = ANY ($1::bigint[])',
      [seqs],
    );
  }
}
