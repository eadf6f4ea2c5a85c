import type { CloudEvent } from '@glacis/contracts';
import { createHttpApp, type Principal, problems } from '@glacis/http';
import { Health, LOGGER, Metrics, newTraceparent, Tracing } from '@glacis/observability';
import { CLOCK, systemClock, waitFor } from '@glacis/runtime';
import { DATABASE_URL, Store, StoreModule } from '@glacis/store';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import {
  Catch,
  Controller,
  Injectable,
  Module,
  UseFilters,
  type DynamicModule,
  type ExceptionFilter,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { of, type Observable } from 'rxjs';
import {
  Broadcasts,
  EventContext,
  EventsModule,
  EventsServer,
  eventsMigrations,
  OnBroadcast,
  OnEvent,
  Outbox,
} from '../src/index.js';
import { backendUpdated } from './messages.js';
import { fastRetries, silent, sinkMigrations } from './sink.js';

type Updated = CloudEvent<'backend.updated'>;

/** What the handlers of the test do and see. */
@Injectable()
class Script {
  readonly log: string[] = [];
  readonly contexts: EventContext[] = [];
  misbehave: (name: string, context: EventContext) => Promise<void> | void = () => undefined;
  mishear: (name: string) => Promise<void> | void = () => undefined;
}

class Settled extends Error {}

@Catch(Settled)
class SettleFilter implements ExceptionFilter {
  catch(): Observable<string> {
    return of('settled by the filter');
  }
}

class RefusePipe implements PipeTransform<Updated, Updated> {
  transform(event: Updated): Updated {
    if (event.data.name === 'refused by the pipe') throw new TypeError('the pipe refuses');
    return event;
  }
}

@Controller()
class SinkEvents {
  constructor(private readonly script: Script) {}

  @UseFilters(SettleFilter)
  @OnEvent('sink', 'backend.updated')
  async updated(
    @Payload(RefusePipe) { subject, data }: Updated,
    @Ctx() context: EventContext,
  ): Promise<void> {
    this.script.log.push(`sink handles ${data.name}`);
    this.script.contexts.push(context);
    await this.script.misbehave(data.name, context);
    await context.tx.query('INSERT INTO effects (key, name, attempt) VALUES ($1, $2, $3)', [
      subject,
      data.name,
      context.attempt,
    ]);
  }

  @OnBroadcast('sink', 'backend.updated')
  async heard(@Payload() { data }: Updated): Promise<void> {
    this.script.log.push(`sink hears ${data.name}`);
    await this.script.mishear(data.name);
  }

  @OnBroadcast('sink', 'token.revoked')
  revoked(@Payload() event: CloudEvent<'token.revoked'>): void {
    this.script.log.push(`sink hears of token ${event.data.token_id}`);
  }
}

const sourceStore = StoreModule.forService('source', eventsMigrations);
const sinkStore = StoreModule.forService('sink', sinkMigrations);

@Module({ imports: [sourceStore, EventsModule.forService('source', sourceStore)] })
class SourceModule {}

function sinkModule(...controllers: Type<unknown>[]): DynamicModule {
  class SinkModule {}
  return {
    module: SinkModule,
    imports: [sinkStore, EventsModule.forService('sink', sinkStore)],
    controllers,
  };
}

/** What the host program gives to all. */
function globals(url: string, metrics: Metrics, health: Health): DynamicModule {
  const values: [symbol | Type<unknown>, unknown][] = [
    [LOGGER, silent],
    [CLOCK, systemClock],
    [DATABASE_URL, url],
    [Metrics, metrics],
    [Health, health],
    [Tracing, new Tracing({ service: 'test' })],
    [Script, new Script()],
  ];
  class Globals {}
  return {
    module: Globals,
    global: true,
    providers: values.map(([provide, useValue]) => ({ provide, useValue })),
    exports: values.map(([provide]) => provide),
  };
}

function authenticate(authorization: string | undefined): Principal {
  const role = /^Bearer (platform-admin|admin)$/.exec(authorization ?? '')?.[1];
  if (!role) throw problems.unauthenticated('no token');
  const principal = { subject: 's', tenant: 't', tokenId: 'i', issuer: 'i', expiresAt: 2 ** 40 };
  return { ...principal, roles: [role] };
}

async function start(url: string, sink: DynamicModule): Promise<NestFastifyApplication> {
  const [metrics, health] = [new Metrics(), new Health()];
  class Suite {}
  const events = EventsModule.forRoot({ policy: fastRetries, pollMs: 10, handlerLimitMs: 1_000 });
  const root = {
    module: Suite,
    imports: [globals(url, metrics, health), events, SourceModule, sink],
  };
  const app = await createHttpApp(root, {
    logger: silent,
    metrics,
    health,
    tracing: new Tracing({ service: 'test' }),
    authenticate,
    about: { version: '', commit: '', description: '', buildTime: '', instanceId: '' },
  });
  app.connectMicroservice({ strategy: app.get(EventsServer) });
  try {
    await app.startAllMicroservices();
    await app.init();
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

let database: TestDatabase;
let app: NestFastifyApplication;
let script: Script;
let stores: Record<'source' | 'sink', Store>;

const storeOf = (service: string): Store => {
  const found = app
    .get(Store, { each: true, strict: false })
    .find((store) => store.service === service);
  if (!found) throw new Error(`no store of ${service}`);
  return found;
};

beforeEach(async () => {
  database = await testDatabase({ source: eventsMigrations, sink: sinkMigrations });
  app = await start(database.url, sinkModule(SinkEvents));
  script = app.get(Script);
  stores = { source: storeOf('source'), sink: storeOf('sink') };
});
afterEach(async () => {
  await app.close();
  await database.drop();
});

async function tell(key: string, names: string, traceparent?: string): Promise<void> {
  const outbox = app.select(SourceModule).get(Outbox, { strict: false });
  const events = names
    .split(',')
    .map((name) => ({ ...backendUpdated(key, name), ...(traceparent ? { traceparent } : {}) }));
  await stores.source.transaction((tx) => outbox.add(tx, ...events));
}
const effects = async (): Promise<string[]> =>
  (await stores.sink.query<{ name: string }>('SELECT name FROM effects ORDER BY position')).map(
    ({ name }) => name,
  );
const effect = (name: string): Promise<true> =>
  waitFor(async () => (await effects()).includes(name), { what: `the effect of ${name}` });
const get = async <T>(
  url: string,
  role = 'platform-admin',
): Promise<{ status: number; body: T }> => {
  const headers = { authorization: `Bearer ${role}` };
  const reply = await app.inject({ method: 'GET', url, headers });
  return { status: reply.statusCode, body: reply.json<T>() };
};
const post = async (url: string): Promise<{ status: number; body: unknown }> => {
  const headers = { authorization: 'Bearer platform-admin' };
  const reply = await app.inject({ method: 'POST', url, headers });
  return { status: reply.statusCode, body: reply.json<unknown>() };
};
interface Letters {
  total: number;
  dead_letters: { id: string; subject: string; attempts: number; cause: string; type: string }[];
}
const deadLetters = async (count: number): Promise<Letters['dead_letters']> => {
  const url = '/events/sink/dead-letters?limit=100';
  return waitFor(async () => {
    const { body } = await get<Letters>(url);
    return body.total === count && body.dead_letters;
  });
};

describe('from one service to another', () => {
  test('listeners hear an event before its durable handler runs, and the effect commits', async () => {
    await tell('k', 'a');
    await effect('a');
    expect(script.log).toEqual(['sink hears a', 'sink handles a']);
    expect(await get('/events/sink/dead-letters')).toMatchObject({
      status: 200,
      body: { total: 0, limit: 10, dead_letters: [] },
    });
  });

  test('a listener that fails or never ends holds up nothing', async () => {
    script.mishear = (name) => {
      if (name === 'a') throw new Error('deaf');
      return new Promise(() => undefined);
    };
    await tell('k', 'a,b,c');
    await effect('c');
    expect(await effects()).toEqual(['a', 'b', 'c']);
  });

  test('a broadcast reaches listeners without outbox and inbox', async () => {
    const data = { token_id: 't', expires_at: new Date().toISOString() };
    await app.get(Broadcasts).publish('token.revoked', 't', data);
    await waitFor(() => script.log.includes('sink hears of token t'));
    expect(await stores.sink.query('SELECT FROM inbox')).toEqual([]);
  });

  test('the trace of the cause goes on in the handler', async () => {
    const traceparent = newTraceparent();
    await tell('k', 'traced', traceparent);
    await effect('traced');
    const seen = script.contexts[0];
    expect(seen?.event.traceparent).toBe(traceparent);
    expect(seen?.traceparent.slice(0, 35)).toBe(traceparent.slice(0, 35));
  });

  test("Nest's pipes and filters run, and what they do not settle is the cause of the dead letter", async () => {
    script.misbehave = (name) => {
      if (name === 'settled') throw new Settled();
      if (name === 'bad') throw new RangeError('out of range');
    };
    await tell('a', 'settled');
    await tell('b', 'bad');
    await tell('c', 'refused by the pipe');
    const letters = await deadLetters(2);
    expect(letters.map(({ cause }) => cause).toSorted()).toEqual([
      'RangeError: out of range',
      'TypeError: the pipe refuses',
    ]);
    expect(script.log).not.toContain('sink handles refused by the pipe');
    expect(await stores.sink.query('SELECT FROM inbox')).toHaveLength(3);
  });

  test('a handler that hangs is given up after its time, and its late writes are refused', async () => {
    let late: string | undefined;
    script.misbehave = async (name, { tx, attempt }) => {
      if (name !== 'hangs' || attempt > 1) return;
      late = await waitFor(() =>
        tx.query('SELECT 1').then(
          () => undefined,
          (error: { code: string }) => error.code,
        ),
      );
    };
    await tell('k', 'hangs,next');
    await effect('next');
    expect(await effects()).toEqual(['hangs', 'next']);
    expect(await waitFor(() => late)).toBe('transaction_ended');
  });
});

describe('dead letters', () => {
  test('are listed page by page, shown with their envelope, and redriven one by one or all', async () => {
    let broken = true;
    script.misbehave = (name) => {
      if (broken && name.startsWith('bad')) throw new Error(`no ${name}`);
    };
    await tell('k', 'bad-1,good,bad-2');
    await tell('l', 'bad-3');
    const letters = await deadLetters(3);
    expect(await effects()).toEqual(['good']);
    const page = await get<Letters>('/events/sink/dead-letters?offset=1&limit=1');
    expect(page.body).toMatchObject({ total: 3, offset: 1, limit: 1, dead_letters: [letters[1]] });
    const first = letters.find(({ cause }) => cause === 'Error: no bad-1');
    const one = `/events/sink/dead-letters/${first?.id}`;
    const { body } = await get<{ envelope: string }>(one);
    expect(body).toMatchObject({ ...first, type: 'backend.updated', subject: 'k', attempts: 3 });
    expect(JSON.parse(body.envelope)).toMatchObject({ id: first?.id, data: { name: 'bad-1' } });

    expect(await post(`${one}/redrive`)).toEqual({ status: 202, body: { redriven: 1 } });
    await waitFor(async () => (await get<{ attempts: number }>(one)).body.attempts === 4);
    broken = false;
    await post(`${one}/redrive`);
    await effect('bad-1');
    expect((await get(one)).status).toBe(404);
    expect((await post(`${one}/redrive`)).status).toBe(404);
    expect(await post('/events/sink/dead-letters/redrive')).toMatchObject({
      body: { redriven: 2 },
    });
    await waitFor(async () => (await effects()).length === 4, { what: 'all effects' });
    expect((await deadLetters(0)).length).toBe(0);
    expect((await effects()).toSorted()).toEqual(['bad-1', 'bad-2', 'bad-3', 'good']);
    expect(script.log.filter((line) => line === 'sink handles bad-1')).toHaveLength(5);
  });

  test('are for platform administrators only, and the page is checked', async () => {
    expect((await get('/events/sink/dead-letters', 'admin')).status).toBe(403);
    expect((await get('/events/sink/dead-letters', 'nobody')).status).toBe(401);
    expect((await get('/events/sink/dead-letters?limit=0')).status).toBe(400);
    expect((await get('/events/sink/dead-letters/unknown')).status).toBe(404);
    expect((await get('/events/nobody/dead-letters')).status).toBe(404);
  });
});

test('metrics tell what was published, handled, parked and dead, and what waits', async () => {
  script.misbehave = (name) => {
    if (name === 'bad') throw new Error('bad');
  };
  await tell('k', 'good');
  await tell('l', 'bad');
  await deadLetters(1);
  await effect('good');
  const { payload } = await app.inject({ method: 'GET', url: '/metrics' });
  for (const line of [
    /glacis_events_published_total\{service="source"\} 2/,
    /glacis_events_handled_total\{service="sink",type="backend.updated"\} 1/,
    /glacis_events_failed_total\{service="sink",type="backend.updated",outcome="parked"\} 2/,
    /glacis_events_failed_total\{service="sink",type="backend.updated",outcome="dead"\} 1/,
    /glacis_events_lag_seconds_count\{service="sink"\} 1/,
    /glacis_events_dead_letters\{service="sink"\} 1/,
    /glacis_events_parked\{service="sink"\} 0/,
    /glacis_events_outbox_waiting\{service="source"\} 0/,
    /glacis_events_outbox_age_seconds\{service="source"\} 0/,
  ]) {
    expect(payload).toMatch(line);
  }
});

test('shutdown ends the delivery under way, gives up the relay locks, and the next start goes on', async () => {
  let finish: () => void = () => undefined;
  script.misbehave = () => new Promise<void>((resolve) => (finish = resolve));
  await tell('k', 'under way');
  await waitFor(() => script.log.includes('sink handles under way'));
  const closed = app.close();
  finish();
  await closed;
  app = await start(database.url, sinkModule(SinkEvents));
  script = app.get(Script);
  stores = { source: storeOf('source'), sink: storeOf('sink') };
  await tell('k', 'after');
  await effect('after');
  expect(await effects()).toEqual(['under way', 'after']);
});

describe('the boot stops', () => {
  class Handlers {
    first(): void {}
    second(): void {}
  }
  const decorate = (method: 'first' | 'second', decorator: MethodDecorator): void => {
    const descriptor = Object.getOwnPropertyDescriptor(Handlers.prototype, method);
    decorator(Handlers.prototype, method, descriptor as PropertyDescriptor);
  };
  Controller()(Handlers);

  test('when a service has two handlers of one type, or handlers but no events module', async () => {
    await app.close();
    decorate('first', OnEvent('sink', 'backend.updated'));
    decorate('second', OnEvent('sink', 'backend.updated'));
    await expect(start(database.url, sinkModule(Handlers))).rejects.toMatchObject({
      code: 'event_setup',
      message: 'sink has two event handlers of backend.updated',
    });
    decorate('second', OnEvent('nobody', 'backend.updated'));
    await expect(start(database.url, sinkModule(Handlers))).rejects.toMatchObject({
      message: 'nobody has event handlers but no EventsModule.forService',
    });
  });
});
