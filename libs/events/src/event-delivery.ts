import type { EventType } from '@glacis/contracts';
import type { Logger, Metrics } from '@glacis/observability';
import type { Clock, Loop } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { BusDriver } from './bus.js';
import { Consumer, type EventHandler } from './consumer.js';
import { eventsMetrics } from './events-metrics.js';
import { purgeLoop } from './purge.js';
import { Relay } from './relay.js';
import { Retries } from './retries.js';
import { defaultRetryPolicy, type RetryPolicy } from './retry-policy.js';
import { topicsOf } from './topics.js';

export interface DeliveryOptions {
  bus: BusDriver;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Default: ten attempts over about four minutes. */
  policy?: RetryPolicy;
  /** Milliseconds between two looks for events and retries that nothing announced. Default 1,000. */
  pollMs?: number;
  /** Events of one publish at most. Default 256. */
  batch?: number;
  /** Events published but not yet taken by all groups, at most. Default 8,192. */
  maxInFlight?: number;
}

/** One service's traffic with the bus: its events go out, those of others come in. */
export class EventDelivery {
  readonly service: string;
  private readonly relay: Relay;
  private readonly purging: Loop;
  private retries: Retries | undefined;

  constructor(
    readonly store: Store,
    private readonly options: DeliveryOptions,
  ) {
    const { clock, logger } = options;
    this.service = store.service;
    this.relay = new Relay({
      service: store.service,
      store,
      bus: options.bus,
      logger,
      metrics: eventsMetrics(options.metrics, store.service),
      pollMs: options.pollMs ?? 1_000,
      batch: options.batch ?? 256,
      maxInFlight: options.maxInFlight ?? 8_192,
    });
    this.purging = purgeLoop(store, clock, logger);
  }

  /** Joins the service's consumer group. Every service does so before any relay starts, else events would miss it. */
  async join(handlers: ReadonlyMap<EventType, EventHandler>): Promise<void> {
    const {
      bus,
      clock,
      logger,
      metrics,
      policy = defaultRetryPolicy,
      pollMs = 1_000,
    } = this.options;
    const { service, store } = this;
    const taking = { service, store, handlers, policy, clock, logger };
    const counted = { ...taking, metrics: eventsMetrics(metrics, service) };
    const consumer = new Consumer(counted);
    this.retries = new Retries({ ...counted, pollMs });
    await bus.subscribe(service, topicsOf(handlers.keys()), (messages) => consumer.take(messages));
  }

  start(): void {
    this.relay.start();
    this.retries?.start();
    this.purging.start();
  }

  /** Ends when the events on their way are taken or the bus is closed. */
  async stop(): Promise<void> {
    await Promise.all([this.relay.stop(), this.retries?.stop(), this.purging.stop()]);
  }

  wakeRelay(): void {
    this.relay.wake();
  }

  wakeRetries(): void {
    this.retries?.wake();
  }
}
