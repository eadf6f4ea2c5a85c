import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Coordinator } from '../coordinator/coordinator.js';
import { OwnIdentity } from '../identity/own-identity.js';
import { Metadata } from '../identity/metadata.js';
import { MetadataServer } from '../../test/metadata-server.js';
import { fetchObject, type Fetched } from './fetch-object.js';

const body = 'a_0,a_1\n1,2\n';

let metadata: MetadataServer;
let cloud: Server;
/** What the cloud answers, one call after the other; the last is the object. */
let answers: (number | 'cut')[];
let asked: IncomingMessage[];

beforeEach(async () => {
  [answers, asked] = [[], []];
  cloud = createServer((request, response) => {
    asked.push(request);
    const answer = answers.shift() ?? 200;
    response.writeHead(answer === 'cut' ? 200 : answer, { 'content-length': body.length });
    if (answer === 'cut') response.write(body.slice(0, 5), () => response.destroy());
    else response.end(answer === 200 ? body : 'x'.repeat(body.length));
  });
  cloud.listen(0, '127.0.0.1');
  await once(cloud, 'listening');
  const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: address() });
  const tokens = `/metadata/identity/oauth2/token?${query.toString()}`;
  metadata = await MetadataServer.start({ [`GET ${tokens}`]: '{"access_token":"mine"}' });
});
afterEach(() => {
  metadata.close();
  cloud.closeAllConnections();
  cloud.close();
});

const address = (): string => `http://127.0.0.1:${(cloud.address() as AddressInfo).port}`;

function read(): Promise<Fetched> {
  const coordinator = { trying: { tries: 3 } } as Coordinator;
  const identity = new OwnIdentity('machine', { metadata: new Metadata(metadata.url) });
  const pinned = { cloud: 'azure' as const, etag: '0x8DC' };
  const object = { url: `${address()}/o?versionid=7`, identity: pinned, bytes: body.length };
  return fetchObject({ coordinator, identity }, object, '');
}

test('jobs.md 10.2: an object that the party reads itself is read from byte 0 again after a failure', async () => {
  answers = ['cut', 503];
  const { bytes, stored } = await read();
  expect(Buffer.from(bytes).toString()).toBe(body);
  expect(stored).toBe(body.length);
  expect(asked.map(({ url }) => url)).toEqual(Array(3).fill('/o?versionid=7'));
  expect(new Set(asked.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer mine']),
  );
});

test.each([403, 404, 412])(
  'jobs.md 9: what the cloud refuses (%i) is not asked again',
  async (status) => {
    answers = [status];
    await expect(read()).rejects.toMatchObject({ failure: 'infra', code: 'object_denied' });
    expect(asked).toHaveLength(1);
  },
);

test('jobs.md 10.3: nobody is followed to another address', async () => {
  answers = [307];
  await expect(read()).rejects.toMatchObject({ code: 'object_denied' });
});
