import type { CloudEvent, EventType } from '@glacis/contracts';
import type { Logger, Tracing } from '@glacis/observability';
import type { Tx } from '@glacis/store';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { BusDriver, BusMessage } from '../bus.js';
import { EventContext } from './event-context.js';
import type { EventDelivery } from '../event-delivery.js';
import { EventSetupError, HandlerTable } from './handler-table.js';
import { EVENTS_TRANSPORT } from './handlers.js';
import type { EventHandler } from '../inbox/handling.js';
import { receive } from '../inbox/received.js';
import { topicsOf } from './topics.js';
import { within } from '../within.js';

export interface EventsServerOptions {
  bus: BusDriver;
  logger: Logger;
  tracing: Tracing;
  /** Milliseconds that a handler may take. Default 10,000. */
  handlerLimitMs?: number;
}

/**
 * The Nest transport strategy of events, over any bus driver. Give it to `app.connectMicroservice({ strategy })` and
 * call `app.startAllMicroservices()`: consumer groups join, then relays start.
 */
export class EventsServer extends Server implements CustomTransportStrategy {
  // A failure is the consumer's to report, with the event that it belongs to.
  override readonly propagatesEventHandlerErrors = true;
  override transportId = EVENTS_TRANSPORT;
  private readonly table = new HandlerTable();
  private readonly deliveries = new Map<string, EventDelivery>();

  constructor(private readonly options: EventsServerOptions) {
    super();
  }

  /** Makes a service known, before `listen`. */
  register(delivery: EventDelivery): void {
    if (this.deliveries.has(delivery.service)) {
      throw new EventSetupError(`the events of ${delivery.service} are registered twice`);
    }
    this.deliveries.set(delivery.service, delivery);
  }

  /** The services of this process. */
  services(): EventDelivery[] {
    return [...this.deliveries.values()];
  }

  override addHandler(
    pattern: unknown,
    handler: MessageHandler,
    _isEventHandler?: boolean,
    extras: Record<string, unknown> = {},
  ): void {
    this.table.add(String(pattern), extras, handler);
  }

  listen(callback: (error?: unknown) => void): void {
    this.startAll().then(() => callback(), callback);
  }

  /** Takes nothing more, finishes what is under way and gives up the relays' locks. */
  async close(): Promise<void> {
    const stopping = Promise.all(this.services().map((delivery) => delivery.stop()));
    await this.options.bus.close();
    await stopping;
  }

  on(event: string): never {
    throw new Error(`the events transport emits no ${event}`);
  }

  unwrap<T>(): T {
    return this.options.bus as T;
  }

  private async startAll(): Promise<void> {
    const groups = this.table.events();
    for (const service of groups.keys()) {
      if (!this.deliveries.has(service)) {
        throw new EventSetupError(`${service} has event handlers but no EventsModule.forService`);
      }
    }
    // At once, as brokers hold back the first assignment of a group for a while.
    await Promise.all([
      this.listenToBroadcasts(),
      ...this.services().map((delivery) =>
        delivery.join(this.durable(groups.get(delivery.service) ?? new Map())),
      ),
    ]);
    this.services().forEach((delivery) => delivery.start());
  }

  private durable(
    handlers: ReadonlyMap<EventType, MessageHandler>,
  ): ReadonlyMap<EventType, EventHandler> {
    const { tracing, handlerLimitMs = 10_000 } = this.options;
    return new Map(
      [...handlers].map(([type, handler]) => [
        type,
        (event: CloudEvent, tx: Tx, attempt: number): Promise<void> =>
          tracing.span(`handle ${type}`, event.traceparent, { 'event.id': event.id }, (span) =>
            within(
              handlerLimitMs,
              settled(handler, event, new EventContext(tx, event, attempt, span.traceparent)),
            ),
          ),
      ]),
    );
  }

  private async listenToBroadcasts(): Promise<void> {
    const listeners = this.table.listeners();
    if (listeners.size === 0) return;
    await this.options.bus.listen(topicsOf(listeners.keys()), (message) => {
      listeners.get(message.type as EventType)?.forEach((handler) => this.tell(handler, message));
    });
  }

  /** Not waited for: the durable path goes on at once. */
  private tell(handler: MessageHandler, message: BusMessage): void {
    const { logger, tracing } = this.options;
    const { event, fault } = receive(message);
    const told = fault
      ? Promise.reject(fault)
      : tracing.span(`hear ${event.type}`, event.traceparent, { 'event.id': event.id }, () =>
          settled(handler, event, undefined),
        );
    told.catch((error: unknown) =>
      logger.warn({ err: error, type: message.type, eventId: message.id }, 'broadcast not handled'),
    );
  }
}

/** Nest's pipeline answers with a value or a stream; either way a failure rejects. */
async function settled(
  handler: MessageHandler,
  event: CloudEvent,
  context: EventContext | undefined,
): Promise<void> {
  const result: unknown = await handler(event, context);
  if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
}
