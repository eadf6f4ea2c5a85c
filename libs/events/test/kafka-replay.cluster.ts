import type { CloudEvent, EventType } from '@glacis/contracts';
import { Health, LOGGER, Metrics, Tracing } from '@glacis/observability';
import { CLOCK, systemClock, waitFor } from '@glacis/runtime';
import { DATABASE_URL, migration, Store, StoreModule, withConnection } from '@glacis/store';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { sharedKafka } from '@glacis/testbed/cluster';
import {
  Controller,
  type DynamicModule,
  type INestMicroservice,
  Module,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AsyncMicroserviceOptions, Ctx, Payload } from '@nestjs/microservices';
import {
  EventContext,
  EventsModule,
  EventsServer,
  eventsMigrations,
  OnEvent,
  Outbox,
} from '../src/index.js';
import { newKafkaBus, ownKafka } from './kafka.js';
import { backendUpdated } from './messages.js';
import { fastRetries, silent } from './sink.js';

const keys = ['a', 'b', 'c', 'd', 'e'];
const perKey = 60;

const sourceStore = StoreModule.forService('source', [
  ...eventsMigrations,
  migration('CreateSteps1763600000001', 'CREATE TABLE steps (key text PRIMARY KEY, step int)'),
]);
@Module({ imports: [sourceStore, EventsModule.forService('source', sourceStore)] })
class Source {}

/** A service that keeps, for each backend, the names that it had, in their order. */
function projecting(
  service: string,
  misbehave: (name: string, attempt: number) => void,
): DynamicModule {
  @Controller()
  class Handlers {
    @OnEvent(service, 'backend.updated' satisfies EventType)
    async updated(
      @Payload() { id, subject, time, data }: CloudEvent<'backend.updated'>,
      @Ctx() { tx, attempt }: EventContext,
    ): Promise<void> {
      misbehave(data.name, attempt);
      await tx.query(
        `INSERT INTO projection VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO UPDATE SET names = projection.names || ' ' || $2, event = $3, time = $4`,
        [subject, data.name, id, time],
      );
    }
  }
  const store = StoreModule.forService(service, [
    ...eventsMigrations,
    migration(
      'CreateProjection1763600000002',
      'CREATE TABLE projection (key text PRIMARY KEY, names text, event text, time timestamptz)',
    ),
  ]);
  class Service {}
  return {
    module: Service,
    imports: [store, EventsModule.forService(service, store)],
    controllers: [Handlers],
  };
}

let database: TestDatabase;
const kafka = ownKafka(sharedKafka());
const running: INestMicroservice[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await Promise.all(running.map((app) => app.close()));
  await database.drop();
});

/** A process with these services. */
async function start(...services: (Type<unknown> | DynamicModule)[]): Promise<INestMicroservice> {
  const values: [symbol | Type<unknown>, unknown][] = [
    [LOGGER, silent],
    [CLOCK, systemClock],
    [DATABASE_URL, database.url],
    [Metrics, new Metrics()],
    [Health, new Health()],
    [Tracing, new Tracing({ service: 'test' })],
  ];
  const globals: DynamicModule = {
    module: class Globals {},
    global: true,
    providers: values.map(([provide, useValue]) => ({ provide, useValue })),
    exports: values.map(([provide]) => provide),
  };
  const events = EventsModule.forRoot({
    policy: { ...fastRetries, attempts: 10 },
    bus: () => newKafkaBus(kafka),
  });
  const root = { module: class Root {}, imports: [globals, events, ...services] };
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(root, {
    useFactory: (strategy: EventsServer) => ({ strategy }),
    inject: [EventsServer],
    logger: false,
    abortOnError: false,
  });
  await app.listen();
  running.push(app);
  return app;
}

/** Changes a backend and tells of it, in one transaction. */
async function step(app: INestMicroservice, key: string): Promise<void> {
  const outbox = app.select(Source).get(Outbox, { strict: false });
  const store = app
    .get(Store, { each: true, strict: false })
    .find(({ service }) => service === 'source') as Store;
  await store.transaction(async (tx) => {
    const [row] = await tx.query<{ step: number }>(
      `INSERT INTO steps VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET step = steps.step + 1
       RETURNING step`,
      [key],
    );
    await outbox.add(tx, backendUpdated(key, String(row?.step)));
  });
}

interface Row {
  key: string;
  names: string;
}

const projection = (service: string): Promise<Row[]> =>
  withConnection(database.url, (db) =>
    db.query<Row>(`SELECT * FROM ${service}.projection ORDER BY key`),
  );

const complete = (service: string): Promise<boolean> =>
  waitFor(
    async () => {
      const rows = await projection(service);
      const counts = rows.map(({ names }) => names.split(' ').length);
      return counts.length === keys.length && counts.every((count) => count === perKey);
    },
    { what: `all events at ${service}`, deadlineMs: 60_000 },
  );

test('a consumer group that begins later replays all events and ends with the same projection, byte for byte', async () => {
  const unsteady = (name: string, attempt: number): void => {
    if (name.endsWith('7') && attempt < 3) throw new Error('not yet');
  };
  const replicas = [
    await start(Source, projecting('first', unsteady)),
    await start(Source, projecting('first', unsteady)),
  ];
  await Promise.all(
    keys.map(async (key) => {
      for (let i = 0; i < perKey; i++) await step(replicas[i % 2] as INestMicroservice, key);
    }),
  );
  await complete('first');
  await start(projecting('second', () => undefined));
  await complete('second');

  const [first, second] = [await projection('first'), await projection('second')];
  const names = Array.from({ length: perKey }, (_, i) => String(i + 1)).join(' ');
  expect(first.map((row) => row.names)).toEqual(keys.map(() => names));
  expect(JSON.stringify(second)).toBe(JSON.stringify(first));
}, 180_000);
