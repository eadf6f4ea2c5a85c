import type { Store } from '@glacis/store';
import { sinkStore } from '../test/sink.js';
import { purge } from './purge.js';

let store: Store;
let close: () => Promise<void>;

beforeAll(async () => {
  const opened = await sinkStore();
  store = opened.store;
  close = () => opened.close();
});
afterAll(() => close());

test('purging keeps what is unpublished, published within 24 hours, or taken within 7 days', async () => {
  await store.query(
    `INSERT INTO outbox (event_id, topic, key, type, envelope, published_at)
     SELECT 'old', '', '', '', '', timestamptz '2026-01-01T00:00Z' FROM generate_series(1, 11000)
     UNION ALL SELECT 'unpublished', '', '', '', '', NULL
     UNION ALL SELECT 'recent', '', '', '', '', timestamptz '2026-01-09T12:00Z'`,
  );
  await store.query(
    `INSERT INTO inbox (event_id, taken_at)
     SELECT 'a' || lpad(i::text, 5, '0'), timestamptz '2026-01-01T00:00Z' FROM generate_series(1, 11000) i
     UNION ALL SELECT 'z', timestamptz '2026-01-09T00:00Z'`,
  );
  await purge(store, new Date('2026-01-10T00:00:00Z'));
  expect(await store.query('SELECT event_id FROM outbox ORDER BY seq')).toEqual([
    { event_id: 'unpublished' },
    { event_id: 'recent' },
  ]);
  expect(await store.query('SELECT event_id FROM inbox')).toEqual([{ event_id: 'z' }]);
});
