// Events from the commit of the producer's transaction (a state row and the event) to the commit of the consumer's
// effect (a row), on the embedded Postgres with default settings: on the in-process bus, or with `--kafka` over a real
// broker, and then beside kafkajs alone.
//   npm run bench -- events [seconds per phase, default 10] [--kafka]
// The rate is that of 8 producers without pause, until the last effect; lags are measured at a fixed pace, at last with
// producers on a second replica, which does not relay itself.
import {
  chooseBus,
  EventsModule,
  EventsServer,
  eventsMigrations,
  loadKafkaSettings,
  OnBroadcast,
  OnEvent,
  Outbox,
} from '@glacis/events';
import { createLogger, Health, LOGGER, Metrics, Tracing } from '@glacis/observability';
import { CLOCK, systemClock } from '@glacis/runtime';
import { DATABASE_URL, migration, startPostgres, Store, StoreModule } from '@glacis/store';
import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKafka } from '@glacis/testbed/cluster';
import { bareKafka } from './support/bare-kafka.mjs';

const args = process.argv.slice(2);
const overKafka = args.includes('--kafka');
const seconds = Number(args.find((arg) => /^\d+$/.test(arg)) ?? 10);
const producers = 8;
const keys = 100;
const pace = overKafka ? 1_000 : 1_500;
const poisoned = 'key-0';

const logger = createLogger({ name: 'bench', level: 'fatal' });
const committedAt = [];
let record = () => undefined;
let hear = () => undefined;
let poison = false;

class Sink {
  async handle(event, context) {
    if (poison && event.subject === poisoned) throw new Error('this key fails for ever');
    const number = Number(event.data.name);
    await context.tx.query('INSERT INTO effects (number, key) VALUES ($1, $2)', [
      number,
      event.subject,
    ]);
    context.tx.afterCommit(() => record(number, event.subject));
  }

  heard(event) {
    hear(Number(event.data.name));
  }
}
Controller()(Sink);
decorate(Sink, 'handle', [OnEvent('sink', 'backend.updated')], [Payload(), Ctx()]);
decorate(Sink, 'heard', [OnBroadcast('sink', 'backend.updated')], [Payload()]);

/** What the TypeScript compiler makes of decorators. */
function decorate(type, method, decorators, parameters) {
  parameters.forEach((parameter, index) => parameter(type.prototype, method, index));
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, method);
  decorators.forEach((decorator) => decorator(type.prototype, method, descriptor));
}

const sourceStore = StoreModule.forService('source', [
  ...eventsMigrations,
  migration('CreateState1763600000001', 'CREATE TABLE state (number int PRIMARY KEY, key text)'),
]);
const sinkStore = StoreModule.forService('sink', [
  ...eventsMigrations,
  migration(
    'CreateEffects1763600000002',
    'CREATE TABLE effects (number int PRIMARY KEY, key text)',
  ),
]);

class SourceModule {}
class SinkModule {}
class BenchModule {}

async function startSuite(url, brokers) {
  const globals = {
    module: class Globals {},
    global: true,
    providers: [
      { provide: LOGGER, useValue: logger },
      { provide: CLOCK, useValue: systemClock },
      { provide: DATABASE_URL, useValue: url },
      { provide: Metrics, useValue: new Metrics() },
      { provide: Health, useValue: new Health() },
      { provide: Tracing, useValue: new Tracing({ service: 'bench' }) },
    ],
    exports: [LOGGER, CLOCK, DATABASE_URL, Metrics, Health, Tracing],
  };
  const kafka = loadKafkaSettings({ env: { KAFKA_BROKERS: brokers } });
  const events = EventsModule.forRoot({ bus: (context) => chooseBus(kafka, context) });
  const source = {
    module: SourceModule,
    imports: [sourceStore, EventsModule.forService('source', sourceStore)],
  };
  const sink = {
    module: SinkModule,
    imports: [sinkStore, EventsModule.forService('sink', sinkStore)],
    controllers: [Sink],
  };
  const app = await NestFactory.create(
    { module: BenchModule, imports: [globals, events, source, sink] },
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  app.connectMicroservice({ strategy: app.get(EventsServer) });
  await app.startAllMicroservices();
  await app.init();
  const [outbox] = app.get(Outbox, { each: true, strict: false });
  return { app, outbox, store: storeOf(app, 'source') };
}

function storeOf(app, service) {
  return app.get(Store, { each: true, strict: false }).find((store) => store.service === service);
}

let next = 0;
async function produce({ store, outbox }) {
  const number = next++;
  const key = `key-${number % keys}`;
  await store.transaction(async (tx) => {
    await tx.query('INSERT INTO state (number, key) VALUES ($1, $2)', [number, key]);
    await outbox.add(tx, {
      type: 'backend.updated',
      subject: key,
      tenant: 'bench',
      data: { backend_id: key, name: String(number), address: '192.0.2.1:7020', changed: ['name'] },
    });
  });
  committedAt[number] = performance.now();
}

/** Every producer as fast as it can, until the last effect is there. */
async function capacity(suite, total) {
  const first = next;
  let effects = 0;
  const started = performance.now();
  const done = new Promise((resolve) => {
    record = () => ++effects === total && resolve();
  });
  await Promise.all(
    Array.from({ length: producers }, async () => {
      while (next < first + total) await produce(suite);
    }),
  );
  const produced = total / ((performance.now() - started) / 1000);
  await done;
  return { produced, effects: total / ((performance.now() - started) / 1000) };
}

/** A fixed number of events per second: lags to the effect, without the poisoned key, and to the listener. */
async function lagAt(suite, perSecond) {
  const first = next;
  const total = perSecond * seconds;
  const effects = new Map();
  const heard = new Map();
  record = (number, key) => (key === poisoned ? undefined : effects.set(number, performance.now()));
  hear = (number) => heard.set(number, performance.now());
  const started = performance.now();
  const running = new Set();
  while (next < first + total) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond));
    while (next < first + due) {
      const one = produce(suite).finally(() => running.delete(one));
      running.add(one);
    }
    await sleep(1);
  }
  await Promise.all(running);
  const rate = total / ((performance.now() - started) / 1000);
  while (effects.size < total - total / keys) await sleep(5);
  hear = () => undefined;
  return { rate, effect: quantiles(effects), listener: quantiles(heard) };
}

/** A producer may learn of its commit a moment after the consumer does: that counts as no lag. */
function quantiles(reached) {
  const lags = [...reached]
    .map(([number, at]) => Math.max(0, at - committedAt[number]))
    .toSorted((a, b) => a - b);
  const at = (share) => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))];
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** What the machine can do at most: the same two rows written, and one updated, in a transaction each. */
async function bareRate(store) {
  await store.query('CREATE TABLE bare (number int PRIMARY KEY, text text, done timestamptz)');
  const until = performance.now() + seconds * 500;
  let number = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: producers }, async () => {
      while (performance.now() < until) {
        const own = number++;
        await store.transaction(async (tx) => {
          await tx.query('INSERT INTO bare (number, text) VALUES ($1, $2)', [own, 'x'.repeat(300)]);
          await tx.query('UPDATE bare SET done = now() WHERE number = $1', [own]);
        });
      }
    }),
  );
  return number / ((performance.now() - started) / 1000);
}

const print = (name, value, unit) => console.log(`${name} ${value.toFixed(1)} ${unit}`);

async function measure(url, brokers) {
  const suite = await startSuite(url, brokers);
  await capacity(suite, 1_000);
  const limit = await bareRate(suite.store);
  print('limit_bare_insert_update_rate', limit, '1/s');
  const { produced, effects } = await capacity(suite, 1_500 * seconds);
  print('producer_commit_rate', produced, '1/s');
  print('commit_to_effect_rate', effects, '1/s');
  print('commit_to_effect_share_of_limit', (100 * effects) / limit, '%');
  const healthy = await lagAt(suite, pace);
  print('paced_rate', healthy.rate, '1/s');
  print('lag_p50', healthy.effect.p50, 'ms');
  print('lag_p99', healthy.effect.p99, 'ms');
  print('lag_max', healthy.effect.max, 'ms');
  print('listener_lag_p50', healthy.listener.p50, 'ms');
  print('listener_lag_p99', healthy.listener.p99, 'ms');
  const second = await startSuite(url, brokers);
  const elsewhere = await lagAt(second, 100);
  print('other_replica_lag_p50', elsewhere.effect.p50, 'ms');
  print('other_replica_lag_p99', elsewhere.effect.p99, 'ms');
  await second.app.close();
  poison = true;
  const sick = await lagAt(suite, pace);
  print('poisoned_key_paced_rate', sick.rate, '1/s');
  print('poisoned_key_others_lag_p50', sick.effect.p50, 'ms');
  print('poisoned_key_others_lag_p99', sick.effect.p99, 'ms');
  const parked = await storeOf(suite.app, 'sink').query(
    "SELECT count(*) FROM event_failures WHERE state = 'parked'",
  );
  print('poisoned_key_parked', Number(parked[0].count), 'events');
  await suite.app.close();
}

async function measureBareKafka(brokers) {
  const bare = await bareKafka(brokers, { perSecond: pace, seconds });
  print('kafkajs_alone_rate', bare.rate, '1/s');
  print('kafkajs_alone_lag_p50', bare.p50, 'ms');
  print('kafkajs_alone_lag_p99', bare.p99, 'ms');
}

const folder = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
const postgres = await startPostgres({ dataDir: folder, logger });
const kafka = overKafka ? await startKafka() : undefined;
try {
  const brokers = kafka?.brokers.join() ?? '';
  await measure(postgres.url, brokers);
  if (kafka) await measureBareKafka(brokers);
} finally {
  await kafka?.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
