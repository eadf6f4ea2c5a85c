import { Health, LOGGER, Metrics, Tracing, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Module, type DynamicModule } from '@nestjs/common';
import { Broadcasts } from '../broadcasts.js';
import type { BusDriver } from '../bus.js';
import { deadLettersController } from '../failures/dead-letters.controller.js';
import { DeadLetters } from '../failures/dead-letters.js';
import type { BusContext } from '../choose-bus.js';
import {
  defaultDelivery,
  EventDelivery,
  type DeliveryOptions,
  type DeliverySettings,
} from '../event-delivery.js';
import { EventsServer } from './events-server.js';
import { InProcessBus } from '../in-process-bus.js';
import { Outbox } from '../outbox/outbox.js';
import { addBacklogGauges } from '../metrics/backlog-gauges.js';
import { addLagGauge } from '../metrics/bus-metrics.js';

export interface EventsModuleOptions extends Partial<DeliverySettings> {
  /** Makes the driver, as `chooseBus` does. Default: the in-process bus. */
  bus?: (context: BusContext) => BusDriver | Promise<BusDriver>;
  /** Milliseconds that a handler may take. Default 10,000. */
  handlerLimitMs?: number;
}

const BUS = Symbol('bus driver');
const DELIVERY = Symbol('delivery options');

/** Events for a Nest application: `forRoot` once, `forService` in the module of each service. */
@Module({})
export class EventsModule {
  /**
   * Global: the bus, `EventsServer` and `Broadcasts`, and the readiness check `bus`. Needs `LOGGER`, `CLOCK`, `Metrics`,
   * `Health` and `Tracing` from a global module. The host program connects the server: `app.connectMicroservice({ strategy: app.get(EventsServer) })`.
   */
  static forRoot(options: EventsModuleOptions = {}): DynamicModule {
    const { bus, handlerLimitMs, ...delivery } = options;
    return {
      module: EventsModule,
      global: true,
      providers: [
        {
          provide: BUS,
          inject: [LOGGER, Metrics, Health],
          useFactory: async (logger: Logger, metrics: Metrics, health: Health) => {
            const driver = (await bus?.({ logger, metrics })) ?? new InProcessBus({ logger });
            health.add('bus', () => driver.check());
            addLagGauge(metrics, driver);
            return driver;
          },
        },
        {
          provide: DELIVERY,
          inject: [BUS, CLOCK, LOGGER, Metrics],
          useFactory: (
            driver: BusDriver,
            clock: Clock,
            logger: Logger,
            metrics: Metrics,
          ): DeliveryOptions => ({
            ...defaultDelivery,
            ...delivery,
            bus: driver,
            clock,
            logger,
            metrics,
          }),
        },
        {
          provide: EventsServer,
          inject: [BUS, LOGGER, Tracing, Metrics],
          useFactory: (
            driver: BusDriver,
            logger: Logger,
            tracing: Tracing,
            metrics: Metrics,
          ): EventsServer => {
            const server = new EventsServer({ bus: driver, logger, tracing, handlerLimitMs });
            addBacklogGauges(metrics, () => server.services());
            return server;
          },
        },
        {
          provide: Broadcasts,
          inject: [BUS, CLOCK],
          useFactory: (driver: BusDriver, clock: Clock) => new Broadcasts(driver, clock),
        },
      ],
      exports: [DELIVERY, EventsServer, Broadcasts],
    };
  }

  /**
   * Gives one service its `Outbox`, delivers to its `@OnEvent` handlers, and adds the routes below
   * `/events/<service>/dead-letters`.
   * @param service its name, which is also that of its consumer group
   * @param store the service's own `StoreModule.forService(…)`, whose migrations include `eventsMigrations`
   */
  static forService(service: string, store: DynamicModule): DynamicModule {
    return {
      module: EventsModule,
      imports: [store],
      controllers: [deadLettersController(service)],
      providers: [
        {
          provide: EventDelivery,
          inject: [Store, DELIVERY, EventsServer],
          useFactory: (own: Store, options: DeliveryOptions, server: EventsServer) => {
            const delivery = new EventDelivery(own, options);
            server.register(delivery);
            return delivery;
          },
        },
        {
          provide: Outbox,
          inject: [EventDelivery, DELIVERY],
          useFactory: (delivery: EventDelivery, { clock }: DeliveryOptions) =>
            new Outbox({ service, clock, wake: () => delivery.wakeRelay() }),
        },
        {
          provide: DeadLetters,
          inject: [Store, DELIVERY, EventDelivery],
          useFactory: (own: Store, { clock }: DeliveryOptions, delivery: EventDelivery) =>
            new DeadLetters(own, clock, () => delivery.wakeRetries()),
        },
      ],
      exports: [Outbox, DeadLetters],
    };
  }
}
