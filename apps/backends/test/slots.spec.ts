import { newId, waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import * as fc from 'fast-check';
import { jest } from '@jest/globals';
import { Sweeper } from '../src/monitoring/sweeper.js';
import { StreamClosings } from '../src/streams/stream-closings.js';
import { StreamSlots } from '../src/streams/stream-slots.js';
import type { StreamClosing, StreamFacts, StreamOpening } from '../src/streams/stream.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let stand: Stand;

beforeAll(async () => {
  database = await testDatabase();
  stand = await Stand.start(await FakeCertificates.create(), { databaseUrl: database.url });
});
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

const opening = (backendId: string): StreamOpening => ({
  backendId,
  connection: 'main',
  tenant: 'tenant-a',
  streamId: newId(),
  serial: String(BigInt(`0x${newId().replaceAll('-', '')}`)),
  issuerId: 'aa',
  notAfter: new Date(Date.now() + 60_000),
  instance: null,
  peer: '127.0.0.1:1',
  openedAt: new Date(),
  dialect: 'seed',
  ambiguous: false,
  version: null,
});
const closing = (stream: StreamFacts, reason: StreamClosing['reason']): StreamClosing => ({
  backendId: stream.backendId,
  connection: stream.connection,
  tenant: stream.tenant,
  streamId: stream.streamId,
  serial: stream.serial,
  reason,
  openedAt: stream.openedAt,
  closedAt: new Date(),
  deliveredAt: null,
});

/** As when nobody has renewed its lease. */
const lose = (backendId: string): Promise<unknown> =>
  stand.store.query(
    `UPDATE backend_streams SET lease_until = now() - interval '1 s' WHERE backend_id = $1`,
    [backendId],
  );

/** What happens at once in one turn: each of these to one of two backends. */
const step = fc.record({
  what: fc.constantFrom('open' as const, 'close' as const, 'revoke' as const, 'lose' as const),
  backend: fc.nat(1),
  which: fc.nat(5),
});
const turns = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 6,
});

it('a slot holds one stream, epochs only grow, and every stream is told connected and disconnected once', async () => {
  const slots = stand.get(StreamSlots);
  const closings = stand.get(StreamClosings);
  const sweeper = stand.get(Sweeper);

  await fc.assert(
    fc.asyncProperty(turns, async (given) => {
      const backends = [await stand.backend(), await stand.backend()];
      const opened: StreamFacts[] = [];
      const perform = async ({ what, backend, which }: (typeof given)[0][0]): Promise<void> => {
        const id = backends[backend] ?? '';
        const own = opened.filter((stream) => stream.backendId === id);
        const stream = own.at(which % Math.max(1, own.length));
        if (what === 'open') {
          const taken = await slots.take(opening(id));
          if (typeof taken === 'string') throw new Error(taken);
          opened.push(taken);
        } else if (what === 'lose') {
          await lose(id);
          await sweeper.run();
        } else if (stream) {
          await closings.record(closing(stream, what === 'revoke' ? 'revoked' : 'closed'));
        }
      };
      for (const turn of given) {
        await Promise.all(turn.map(perform));
        const rows = await stand.store.query<{ backend_id: string; epoch: string }>(
          'SELECT backend_id, epoch FROM backend_streams WHERE backend_id = ANY($1)',
          [backends],
        );
        for (const row of rows) {
          const epochs = opened.filter((one) => one.backendId === row.backend_id);
          expect(Number(row.epoch)).toBe(Math.max(...epochs.map((one) => one.epoch)));
        }
      }
      for (const stream of opened) await closings.record(closing(stream, 'closed'));
      for (const id of backends) {
        const own = opened.filter((stream) => stream.backendId === id);
        const told = (await stand.events(id)).filter((event) =>
          ['backend.connected', 'backend.disconnected'].includes(event.type),
        );
        const inOrder = own.toSorted((a, b) => a.epoch - b.epoch).map((one) => one.streamId);
        expect(told.map((event) => event.data.stream_id)).toEqual(
          inOrder.flatMap((streamId) => [streamId, streamId]),
        );
        expect(new Set(own.map((stream) => stream.epoch)).size).toBe(own.length);
      }
    }),
    { numRuns: 25 },
  );
});

describe('a stream whose replica was lost', () => {
  it('was last seen when its replica last heard it', async () => {
    const id = await stand.backend();
    const seen = new Date(Date.now() - 600_000);
    await stand.get(StreamSlots).take({ ...opening(id), openedAt: seen });
    await lose(id);
    await stand.get(Sweeper).run();
    expect((await stand.events(id)).at(-1)?.data.reason).toBe('replica_lost');
    expect((await stand.show(id)).last_seen).toBe(seen.toISOString());
  });

  it('is swept in the order of an opening, so that the two never wait for one another', async () => {
    const id = await stand.backend();
    await stand.get(StreamSlots).take(opening(id));
    await lose(id);
    const sweeping = await stand.store.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM backends WHERE id = $1 FOR UPDATE', [id]);
      const swept = stand.get(Sweeper).run();
      await waitFor(
        async () => {
          const rows = await stand.store.query(
            `SELECT 1 FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return rows.length > 0;
        },
        { what: 'the sweeper to wait' },
      );
      await tx.query('SELECT 1 FROM backend_streams WHERE backend_id = $1 FOR UPDATE NOWAIT', [id]);
      return { swept };
    });
    await sweeping.swept;
    expect((await stand.events(id)).at(-1)?.data.reason).toBe('replica_lost');
  });
});
