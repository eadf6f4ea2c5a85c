import { status } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { FakeCertificates } from './fake-certificates.js';
import { Stand, type DialedStream, type Reply } from './stand.js';

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

const get = (id: string): Promise<Reply> => stand.send('GET', `/backends/${id}/information`);
const ask = (id: string): Promise<Reply> => stand.send('POST', `/backends/${id}/information`);
const asked = (stream: DialedStream): Promise<string> =>
  waitFor(
    () => {
      const last = stream.messages.at(-1);
      return last?.kind === 'informationRequest' && last.value.id;
    },
    { what: 'the request' },
  );
const told = (id: string, text: string): Promise<true> =>
  waitFor(async () => (await get(id)).text === text, { what: text });

describe('backends.md 7', () => {
  it('is 404 before anything is told, 409 without a connection or a dialect that can', async () => {
    const idle = await stand.backend();
    expect((await get(idle)).status).toBe(404);
    expect((await ask(idle)).json()).toMatchObject({ status: 409, code: 'not-connected' });
    const { id, files } = await stand.connected();
    expect((await ask(id)).json()).toMatchObject({ status: 409, code: 'dialect-cannot' });
    const audited = await stand.store.query(
      `SELECT detail->>'serial' AS serial, detail->>'result' AS result FROM audit
       WHERE subject = $1 AND action = 'backend.information.request'`,
      [id],
    );
    expect(audited).toEqual([{ serial: files.serial, result: 'dialect-cannot' }]);
  });

  it.each(['v0.3', 'v0.4'] as const)(
    'backends.md 16.8: 64-bit values of a %s manager come out unchanged',
    async (dialect) => {
      const { id, stream } = await stand.connected({ dialect, body: { protocol: dialect } });
      const reply = await ask(id);
      expect([reply.status, reply.text]).toEqual([202, '']);
      const info = Buffer.from('{"snp_policy":{"minimum_tcb":15063977803600887811}}');
      await stream.send({ kind: 'information', value: { id: 'another', info: Buffer.from('{}') } });
      await stream.send({ kind: 'information', value: { id: await asked(stream), info } });
      await told(id, '{"snp_policy":{"minimum_tcb":"15063977803600887811"}}\n');
      stream.end();
      expect(await stream.ended).toMatchObject({ code: status.OK });
      expect((await get(id)).status).toBe(200);
    },
  );

  it('keeps what is no JSON as base64', async () => {
    const { id, stream } = await stand.connected({ dialect: 'v0.4', body: { protocol: 'v0.4' } });
    for (const [before, text] of ['no json', '{"a":"\\u0000"}', '{"a":"\\ud800"}'].entries()) {
      await ask(id);
      await waitFor(() => stream.messages.length > before, { what: 'the question' });
      const info = Buffer.from(text);
      await stream.send({ kind: 'information', value: { id: await asked(stream), info } });
      await told(id, `{"raw":"${info.toString('base64')}"}\n`);
    }
  });
});
