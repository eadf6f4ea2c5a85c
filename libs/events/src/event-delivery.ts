import type { EventType } from '@glacis/contracts';
import type { Logger, Metrics } from '@glacis/observability';
import type { Clock, Loop } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { BusDriver } from './bus.js';
import { Consumer } from './inbox/consumer.js';
import { eventsMetrics, type EventsMetrics } from './metrics/events-metrics.js';
import type { EventHandler } from './inbox/handling.js';
import { purgeLoop } from './purge.js';
import { Relay } from './outbox/relay.js';
import { Retries } from './failures/retries.js';
import { defaultRetryPolicy, type RetryPolicy } from './failures/retry-policy.js';
import { topicsOf } from './nest/topics.js';
import { within } from './within.js';

/** How much and how often. */
export interface DeliverySettings {
  /** Default: ten attempts over about four minutes. */
  policy: RetryPolicy;
  /** Milliseconds between two looks for events and retries that nothing announced. Default 1,000. */
  pollMs: number;
  /** Events of one publish at most. Default 256. */
  batch: number;
  /** Milliseconds after which the rest of a batch is parked, to be handled in the background. Default 5,000. */
  batchLimitMs: number;
  /** Events published but not yet taken by all groups, at most. Default 8,192. */
  maxInFlight: number;
}

const stopLimitMs = 3_000;

export const defaultDelivery: DeliverySettings = {
  policy: defaultRetryPolicy,
  pollMs: 1_000,
  batch: 256,
  batchLimitMs: 5_000,
  maxInFlight: 8_192,
};

export interface DeliveryOptions extends DeliverySettings {
  bus: BusDriver;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** One service's traffic with the bus: its events go out, those of others come in. */
export class EventDelivery {
  readonly service: string;
  private readonly metrics: EventsMetrics;
  private readonly relay: Relay;
  private readonly purging: Loop;
  private retries: Retries | undefined;

  constructor(
    readonly store: Store,
    private readonly options: DeliveryOptions,
  ) {
    const { service } = store;
    this.service = service;
    this.metrics = eventsMetrics(options.metrics, service);
    this.relay = new Relay({ ...options, service, store, metrics: this.metrics });
    this.purging = purgeLoop(store, options.clock, options.logger);
  }

  /**
   * Joins the service's consumer group. Every service does so before any relay starts, else events would miss it.
   * @param handlers none when the service consumes no events
   */
  async join(handlers: ReadonlyMap<EventType, EventHandler>): Promise<void> {
    const { service, store, metrics, options } = this;
    const handling = { ...options, service, store, metrics, handlers };
    const consumer = new Consumer(handling);
    this.retries = new Retries(handling);
    const topics = topicsOf(handlers.keys());
    if (topics.length > 0) {
      await options.bus.subscribe(service, topics, (messages) => consumer.take(messages));
    }
  }

  start(): void {
    this.relay.start();
    this.retries?.start();
    this.purging.start();
  }

  /**
   * Ends when the events on their way are taken or the bus is closed, and the retries under way have ended; after 3 s in
   * any case. What is cut off then has committed nothing and comes again.
   */
  async stop(): Promise<void> {
    const { service, relay, retries, purging, options } = this;
    await within(stopLimitMs, Promise.all([relay.stop(), retries?.stop(), purging.stop()])).catch(
      (error: unknown) =>
        options.logger.warn({ err: error, service }, 'stopped while events were handled'),
    );
  }

  wakeRelay(): void {
    this.relay.wake();
  }

  wakeRetries(): void {
    this.retries?.wake();
  }
}
