// A suite of two services under load, to be killed at any moment: `source` counts up in its table and tells each
// step, `sink` writes down what it hears. With `drain` as argument it makes no load and ends when nothing waits.
// Over Kafka when `KAFKA_BROKERS` is set.
import {
  chooseBus,
  EventsModule,
  EventsServer,
  eventsMigrations,
  loadKafkaSettings,
  OnEvent,
  Outbox,
} from '@glacis/events';
import { createLogger, Health, LOGGER, Metrics, Tracing } from '@glacis/observability';
import { CLOCK, systemClock, waitFor } from '@glacis/runtime';
import { DATABASE_URL, migration, Store, StoreModule } from '@glacis/store';
import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';

const drain = process.argv[2] === 'drain';
const logger = createLogger({ name: 'kill', level: 'fatal' });

class Sink {
  failures = 0;
  async handle(event, { tx }) {
    // Some fail at first, so that kills also meet parked events and retries.
    if (!drain && ++this.failures % 50 === 0) throw new Error('now and then');
    const { backend_id: key, name } = event.data;
    await tx.query('INSERT INTO effects (key, step) VALUES ($1, $2)', [key, Number(name)]);
  }
}
Controller()(Sink);
Payload()(Sink.prototype, 'handle', 0);
Ctx()(Sink.prototype, 'handle', 1);
OnEvent('sink', 'backend.updated')(
  Sink.prototype,
  'handle',
  Object.getOwnPropertyDescriptor(Sink.prototype, 'handle'),
);

const sourceStore = StoreModule.forService('source', [
  ...eventsMigrations,
  migration('CreateSteps1763600000001', 'CREATE TABLE steps (key text PRIMARY KEY, step int)'),
]);
const sinkStore = StoreModule.forService('sink', [
  ...eventsMigrations,
  migration(
    'CreateEffects1763600000002',
    `CREATE TABLE effects (position bigint GENERATED ALWAYS AS IDENTITY, key text, step int)`,
  ),
]);
const values = [
  [LOGGER, logger],
  [CLOCK, systemClock],
  [DATABASE_URL, process.env.DATABASE_URL],
  [Metrics, new Metrics()],
  [Health, new Health()],
  [Tracing, new Tracing({ service: 'kill' })],
];
const globals = {
  module: class Globals {},
  global: true,
  providers: values.map(([provide, useValue]) => ({ provide, useValue })),
  exports: values.map(([provide]) => provide),
};
const policy = { initialMs: 20, factor: 2, maxMs: 200, jitter: 0, attempts: 1_000 };
const root = {
  module: class Suite {},
  imports: [
    globals,
    EventsModule.forRoot({
      policy,
      pollMs: 20,
      bus: (context) => chooseBus(loadKafkaSettings(), context),
    }),
    {
      module: class Source {},
      imports: [sourceStore, EventsModule.forService('source', sourceStore)],
    },
    {
      module: class SinkModule {},
      imports: [sinkStore, EventsModule.forService('sink', sinkStore)],
      controllers: [Sink],
    },
  ],
};

// A microservice only: nothing listens on a port.
const app = await NestFactory.createMicroservice(root, {
  useFactory: (strategy) => ({ strategy }),
  inject: [EventsServer],
  logger: false,
});
await app.listen();
const stores = app.get(Store, { each: true, strict: false });
const [source, sink] = ['source', 'sink'].map((name) =>
  stores.find(({ service }) => service === name),
);
const [outbox] = app.get(Outbox, { each: true, strict: false });

async function step(key) {
  const next = await source.transaction(async (tx) => {
    const [row] = await tx.query(
      `INSERT INTO steps VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET step = steps.step + 1
       RETURNING step`,
      [key],
    );
    const data = { backend_id: key, name: String(row.step), address: 'a', changed: [] };
    await outbox.add(tx, { type: 'backend.updated', subject: key, tenant: 't', data });
    return row.step;
  });
  // Acknowledged: from here on it may not be lost.
  process.stdout.write(`${key} ${String(next)}\n`);
}

if (drain) {
  const bus = app.get(EventsServer).unwrap();
  const none = async (store, sql) => (await store.query(sql)).length === 0;
  await waitFor(
    async () =>
      (await none(source, 'SELECT FROM outbox WHERE published_at IS NULL LIMIT 1')) &&
      (await bus.lags()).every(({ messages }) => messages === 0) &&
      (await none(sink, 'SELECT FROM event_failures LIMIT 1')),
    { deadlineMs: 60_000, what: 'all events' },
  );
  await app.close();
} else {
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    void (async () => {
      for (;;) await step(key);
    })();
  }
}
