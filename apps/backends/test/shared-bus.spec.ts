import { InProcessBus, type BusDriver } from '@glacis/events';
import { status } from '@glacis/grpc';
import { createLogger } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

/* Two replicas on one database and one bus, with leases that are too long to make up for a lost message in time. */
let database: TestDatabase;
let one: Stand;
let two: Stand;

beforeAll(async () => {
  database = await testDatabase();
  const certificates = await FakeCertificates.create();
  const bus = new InProcessBus({ logger: createLogger({ name: 'test', level: 'silent' }) });
  // The replicas come and go; the bus between them stays.
  const shared: BusDriver = {
    publish: (messages) => bus.publish(messages),
    subscribe: (...args) => bus.subscribe(...args),
    listen: (...args) => bus.listen(...args),
    check: () => bus.check(),
    lags: () => bus.lags(),
    close: () => Promise.resolve(),
  };
  const options = { databaseUrl: database.url, bus: shared, settings: { lease: '10m' } };
  one = await Stand.start(certificates, options);
  two = await Stand.start(certificates, options);
});
afterAll(async () => {
  await one?.stop();
  await two?.stop();
  await database.drop();
});

it('backends.md 4.2: the holder of an older stream hears of the newer one over the bus', async () => {
  const { id, files, stream } = await one.connected();
  let code: status | undefined;
  void stream.ended.then((ending) => (code = ending.code));
  await two.dial(files).opened;
  expect(await waitFor(() => code, { what: 'the older stream to end' })).toBe(status.ABORTED);
  expect(stream.messages).toEqual([{ kind: 'terminate', value: { message: 'Backend Replaced' } }]);
  expect(await one.show(id)).toMatchObject({ active: true });
});
