// Inputs that a party reads by the identity of its machine, from azurite over TLS. It takes tokens, and knows no roles.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { globalAgent } from 'node:https';
import { temporaryFolder } from '@glacis/testbed';
import { makeCertificateAuthority, startAzure, type AzureServer } from '@glacis/testbed/cluster';
import type { Coordinator } from '../src/coordinator/coordinator.js';
import { send } from '../src/coordinator/send.js';
import { Metadata } from '../src/identity/metadata.js';
import { OwnIdentity } from '../src/identity/own-identity.js';
import { fetchObject } from '../src/inputs/fetch-object.js';
import { MetadataServer } from './metadata-server.js';

const body = 'a_0,a_1\n1,2\n';
let azure: AzureServer;
let metadata: MetadataServer | undefined;
const trusted = globalAgent.options.ca;

beforeAll(async () => {
  const authority = await makeCertificateAuthority(await temporaryFolder(), '/CN=azure');
  const tls = await authority.issue('azure', '/CN=127.0.0.1', ['IP:127.0.0.1']);
  globalAgent.options.ca = await readFile(authority.cert);
  azure = await startAzure({ accounts: 1, tls });
});
afterAll(async () => {
  globalAgent.options.ca = trusted;
  globalAgent.destroy();
  metadata?.close();
  await azure?.stop();
});

/** As the directory makes one for a storage account. */
function tokenFor(audience: string): string {
  const now = Math.floor(Date.now() / 1000);
  const iss = 'https://sts.windows.net/00000000-0000-0000-0000-000000000000/';
  const claims = { aud: audience, iss, nbf: now - 60, iat: now - 60, exp: now + 600 };
  const parts = [{ alg: 'RS256', typ: 'JWT' }, claims];
  const texts = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...texts, 'signature'].join('.');
}

test('jobs.md 10.3: azure: the pinned version is read by a token for its account, and no other version', async () => {
  const [endpoint = ''] = azure.endpoints;
  const token = tokenFor('https://account0.blob.core.windows.net');
  const resource = encodeURIComponent(new URL(endpoint).origin);
  const path = `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`;
  metadata = await MetadataServer.start({
    [`GET ${path}`]: JSON.stringify({ access_token: token }),
  });
  const own = { authorization: `Bearer ${token}`, 'x-ms-version': '2023-11-03' };
  const put = async (url: string, content: string): Promise<string> => {
    const headers = { ...own, 'x-ms-blob-type': 'BlockBlob' };
    const answer = await send({ method: 'PUT', url, headers, body: content });
    await once(answer.resume(), 'end');
    return String(answer.headers.etag).replaceAll('"', '');
  };
  await put(`${endpoint}/inputs?restype=container`, '');
  const url = `${endpoint}/inputs/dir/0001/a%20table`;
  const etag = await put(url, body);

  const coordinator = { trying: { tries: 3 } } as Coordinator;
  const identity = new OwnIdentity('machine', { metadata: new Metadata(metadata.url) });
  const object = { url, identity: { cloud: 'azure' as const, etag }, bytes: body.length };
  const { bytes } = await fetchObject({ coordinator, identity }, object, '');
  expect(Buffer.from(bytes).toString()).toBe(body);
  await put(url, body.replace('1', '7'));
  const later = fetchObject({ coordinator, identity }, object, '');
  await expect(later).rejects.toMatchObject({ failure: 'infra', code: 'object_denied' });
});
