import { jest } from '@jest/globals';
import { Body, Controller, Module, Post, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, LOGGER } from '@glacis/observability';
import { CLOCK, ManualClock, waitFor } from '@glacis/runtime';
import { migration, openStore, startPostgres, Store } from '@glacis/store';
import type { FastifyReply } from 'fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import {
  CallerParam,
  Idempotency,
  idempotencyMigrations,
  IdempotencyParam,
  Operation,
  problems,
  sendAnswer,
  zBody,
  type Caller,
  type IdempotentRequest,
} from '../src/index.js';
import { send, startApp, type Reply } from './app.js';

jest.setTimeout(60_000);

const order = z.object({ item: z.string() });
const clock = new ManualClock(new Date('2026-03-01T00:00:00Z'));
const logger = createLogger({ name: 'test', level: 'silent' });
/** Set by a test to hold a request inside its transaction. */
let hold: Promise<void> | undefined;
let inside = 0;

@Controller('orders')
class OrderController {
  constructor(private readonly idempotency: Idempotency) {}

  @Post(['', 'order', ':desk/order'])
  @Operation({ access: 'member', summary: 'Order', body: order, status: 201 })
  async create(
    @Body(zBody(order)) body: z.infer<typeof order>,
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const answer = await this.idempotency.run(request, async (tx) => {
      inside += 1;
      await hold;
      const [row] = await tx.query<{ id: string }>(
        'INSERT INTO orders (item, tenant) VALUES ($1, $2) RETURNING id',
        [body.item, caller.tenant],
      );
      if (body.item === 'refused') throw problems.conflict('refused');
      return { status: 201, headers: { location: `/orders/${row?.id}` }, body: { id: row?.id } };
    });
    return sendAnswer(reply, answer);
  }

  /** What somebody else records. */
  @Post('apart')
  @Operation({ access: 'member', summary: 'Order elsewhere', body: order, status: 202 })
  async createApart(
    @Body(zBody(order)) body: z.infer<typeof order>,
    @IdempotencyParam() request: IdempotentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const answer = await this.idempotency.runApart(request, async () => {
      inside += 1;
      await hold;
      await store.query('INSERT INTO orders (item, tenant) VALUES ($1, $2)', [body.item, 'apart']);
      if (body.item === 'refused') throw problems.conflict('refused');
      return { status: 202, body: { nth: inside } };
    });
    return sendAnswer(reply, answer);
  }
}

let folder: string;
let stopPostgres: () => Promise<void>;
let store: Store;
let app: NestFastifyApplication;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-http-'));
  const postgres = await startPostgres({ dataDir: folder, logger });
  stopPostgres = () => postgres.stop();
  const create = migration(
    'CreateOrders1763500000000',
    'CREATE TABLE orders (id bigserial PRIMARY KEY, item text NOT NULL, tenant text NOT NULL)',
  );
  store = await openStore({
    service: 'orders',
    url: postgres.url,
    migrations: [create, ...idempotencyMigrations],
    logger,
  });
  @Module({
    controllers: [OrderController],
    providers: [
      Idempotency,
      { provide: Store, useValue: store },
      { provide: LOGGER, useValue: logger },
      { provide: CLOCK, useValue: clock },
    ],
  })
  class OrderModule {}
  app = await startApp(OrderModule);
});

afterAll(async () => {
  await app?.close();
  await store?.close();
  await stopPostgres?.();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  hold = undefined;
  inside = 0;
});

const post = (key: string | undefined, item: string, token = 'member'): Promise<Reply> =>
  postTo('/orders', key, { item, token });
const postTo = (
  path: string,
  key: string | undefined,
  { item, token = 'member' }: { item: string; token?: string },
): Promise<Reply> =>
  send(app, 'POST', path, {
    token,
    body: JSON.stringify({ item }),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });

async function orders(item: string): Promise<number> {
  const [row] = await store.query<{ n: string }>('SELECT count(*) n FROM orders WHERE item = $1', [
    item,
  ]);
  return Number(row?.n);
}

test('the same key and body repeats status, Location and body; the effect is one', async () => {
  const first = await post('a', 'pen');
  const second = await post('a', 'pen');
  expect(first.status).toBe(201);
  expect(second.status).toBe(201);
  expect(second.text).toBe(first.text);
  expect(second.headers['location']).toBe(first.headers['location']);
  expect(await orders('pen')).toBe(1);
});

test('the same key with another body is 422', async () => {
  await post('b', 'ink');
  const other = await post('b', 'paper');
  expect([other.status, other.json()['code']]).toEqual([422, 'idempotency-key-reused']);
  expect(await orders('paper')).toBe(0);
});

test('another path to the same operation has the same keys; with other parameters it is another', async () => {
  const first = await post('b2', 'ruler');
  expect((await postTo('/orders/order', 'b2', { item: 'ruler' })).text).toBe(first.text);
  expect((await postTo('/orders/order', 'b2', { item: 'chalk' })).status).toBe(422);
  expect((await postTo('/orders/a/order', 'b2', { item: 'chalk' })).status).toBe(201);
  expect((await postTo('/orders/b/order', 'b2', { item: 'chalk' })).status).toBe(201);
  expect(await orders('chalk')).toBe(2);
});

test('keys of another subject are other keys; without a key each request counts', async () => {
  await post('c', 'cup');
  await post('c', 'cup', 'admin');
  await post(undefined, 'cup');
  await post(undefined, 'cup');
  expect(await orders('cup')).toBe(4);
});

test('of concurrent requests with one key one runs; the others are told so and get its answer later', async () => {
  let release: () => void = () => undefined;
  hold = new Promise((resolve) => (release = resolve));
  const first = post('d', 'desk');
  await waitFor(() => inside > 0, { what: 'one request inside' });
  const others = await Promise.all(Array.from({ length: 20 }, () => post('d', 'desk')));
  for (const other of others) {
    expect([other.status, other.json()['code']]).toEqual([409, 'request-under-way']);
    expect(other.headers['retry-after']).toBe('1');
  }
  release();
  const { status, text } = await first;
  expect(status).toBe(201);
  expect((await post('d', 'desk')).text).toBe(text);
  expect(inside).toBe(1);
  expect(await orders('desk')).toBe(1);
});

test('of many at once, without an order, still one runs', async () => {
  const replies = await Promise.all(Array.from({ length: 20 }, () => post('e1', 'lamp')));
  expect(replies.every(({ status }) => status === 201 || status === 409)).toBe(true);
  expect(new Set(replies.filter((r) => r.status === 201).map(({ text }) => text)).size).toBe(1);
  expect(await orders('lamp')).toBe(1);
});

test('an effect that failed leaves no answer: the key may try again', async () => {
  expect((await post('e', 'refused')).status).toBe(409);
  expect((await post('e', 'refused')).status).toBe(409);
  expect(inside).toBe(2);
  expect(await orders('refused')).toBe(0);
});

test('an answer is repeated for 24 h, then the key is free again and purged', async () => {
  await post('f', 'fan');
  clock.advance(24 * 3_600_000 - 1);
  await post('f', 'fan');
  expect(await orders('fan')).toBe(1);
  clock.advance(1);
  await post('f', 'fan');
  expect(await orders('fan')).toBe(2);
  clock.advance(24 * 3_600_000);
  await app.get(Idempotency).purge();
  expect(await store.query('SELECT 1 FROM idempotency_keys')).toHaveLength(0);
});

test('a malformed key is 400', async () => {
  for (const key of ['two words', 'x'.repeat(256), '']) {
    const reply = await post(key, 'nib');
    expect([key, reply.status, reply.json()['field']]).toEqual([key, 400, 'Idempotency-Key']);
  }
});

describe('work apart', () => {
  const apart = (key: string | undefined, item: string): Promise<Reply> =>
    postTo('/orders/apart', key, { item });

  test('is done once for a key, its answer repeated; another body is 422; what failed may be tried again', async () => {
    const first = await apart('g', 'bed');
    expect([first.status, (await apart('g', 'bed')).text]).toEqual([202, first.text]);
    expect((await apart('g', 'sofa')).status).toBe(422);
    expect((await apart('h', 'refused')).status).toBe(409);
    expect((await apart('h', 'refused')).json()['code']).toBe('conflict');
    await apart(undefined, 'bed');
    expect(await orders('bed')).toBe(2);
  });

  test('holds no connection: more of it at once than there are connections neither waits nor stops others', async () => {
    let release: () => void = () => undefined;
    hold = new Promise((resolve) => (release = resolve));
    const replies = Array.from({ length: 12 }, (_, i) => apart(`i${i}`, 'stool'));
    await waitFor(() => inside === 12, { what: 'all requests inside' });
    const other = await apart('i0', 'stool');
    expect([other.status, other.json()['code']]).toEqual([409, 'request-under-way']);
    expect(await orders('stool')).toBe(0);
    release();
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual(Array(12).fill(202));
    expect(await orders('stool')).toBe(12);
  });

  test('whose process died leaves its key free after a minute', async () => {
    await apart('j', 'vase');
    await store.query('UPDATE idempotency_keys SET status = NULL, body = NULL');
    expect((await apart('j', 'vase')).json()['code']).toBe('request-under-way');
    clock.advance(60_000);
    expect((await apart('j', 'vase')).status).toBe(202);
    expect(await orders('vase')).toBe(2);
  });
});
