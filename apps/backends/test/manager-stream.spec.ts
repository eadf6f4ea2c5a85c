import { status } from '@glacis/grpc';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

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

it('admits a manager and shows it live', async () => {
  const { id, files } = await stand.connected();
  const shown = await stand.show(id);
  expect(shown).toMatchObject({ active: true, protocol: 'seed', certificate_serial: files.serial });
});

it('backends.md 16.2: Terminate reaches a seed client', async () => {
  const { id, stream } = await stand.connected();
  const reply = await stand.send('GET', `/backends/terminate/${id}/1`);
  expect(reply.status).toBe(204);
  expect(await stream.ended).toMatchObject({ code: status.OK });
  expect(stream.messages).toEqual([{ kind: 'terminate', value: { message: 'Backend Closed' } }]);
  await stand.active(id, false);
});

it('backends.md 16.3: revoking the certificate in use ends the stream and clears active', async () => {
  const { id, files, stream } = await stand.connected();
  await stand.revoke(files.serial);
  expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(stream.messages).toEqual([{ kind: 'terminate', value: { message: 'Backend Closed' } }]);
  await stand.active(id, false);
  expect(await stand.dial(files).ended).toMatchObject({ code: status.UNAVAILABLE });
});
