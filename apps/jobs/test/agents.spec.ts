import { execFile } from 'node:child_process';
import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { bareCsr, fromPem, generateKeys, privateKeyPem, readCertificate, toPem } from '@glacis/pki';
import { Store } from '@glacis/store';
import { AgentListener } from '../src/agents/agent-listener.js';
import { insertAgent } from '../src/agents/agents.store.js';
import { CertificateAuthority } from '../src/agents/certificate-authority.js';
import { sha256Of } from '../src/agents/enrolment.js';
import { Bells } from '../src/agents/bells.js';
import { insertInstruction, instructedOf } from '../src/agents/instructions.store.js';
import { Stand } from './stand.js';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.start();
});
afterAll(() => stand.stop());

interface Credentials {
  key: string;
  cert: string;
}

interface Answer {
  status: number;
  body: any; // oxlint-disable-line typescript/no-explicit-any -- tests read members by name
}

async function call(
  method: string,
  path: string,
  { body, ...tls }: Partial<Credentials> & { body?: unknown } & RequestOptions = {},
): Promise<Answer> {
  const { url, ca } = stand.get(AgentListener);
  const outgoing = httpsRequest(new URL(path, url), {
    ...tls,
    method,
    ca,
    agent: false,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
  }).end(body === undefined ? undefined : JSON.stringify(body));
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const text = await textOf(incoming);
  return { status: incoming.statusCode ?? 0, body: text ? JSON.parse(text) : undefined };
}

interface Started {
  id: string;
  jobId: string;
  token: string;
}

/** An agent that is expected, as the row that its start leaves. */
async function expected(party: number, jobId: string = randomUUID()): Promise<Started> {
  const token = randomBytes(32).toString('base64url');
  const id = randomUUID();
  await insertAgent(stand.get(Store), {
    id,
    jobId,
    attempt: 1,
    party,
    tenant: 'default',
    provider: 'aws',
    tokenSha256: sha256Of(token),
    tokenUntil: new Date(Date.now() + 600_000),
    startedAt: new Date(),
  });
  return { id, jobId, token };
}

const macKey = randomBytes(32).toString('base64url');

async function enrolled(started: Started): Promise<Credentials & { ca: string }> {
  const { privateKey } = await generateKeys('ECDSA-P256');
  const csr = toPem('CERTIFICATE REQUEST', bareCsr(privateKey));
  const body = { token: started.token, csr, mac_key: macKey };
  const { status, body: reply } = await call('POST', '/agents/enrol', { body });
  expect(status).toBe(201);
  return { key: privateKeyPem(privateKey), cert: reply.chain.join(''), ca: reply.ca };
}

function openssl(args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('openssl', args, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    child.stdin?.end(input);
  });
}

describe('jobs.md 10.2: the port of party agents', () => {
  it('enrols by a token once, and issues for the party of the token with its URI', async () => {
    const started = await expected(0);
    const { cert, key } = await enrolled(started);
    const text = await openssl(['x509', '-noout', '-text'], cert);
    expect(text).toContain(`URI:spiffe://glacis.local/tenant/default/party/${started.id}`);
    expect(text).toMatch(/TLS Web Client Authentication, TLS Web Server Authentication/);
    const csr = toPem('CERTIFICATE REQUEST', bareCsr(createPrivateKey(key)));
    const again = { token: started.token, csr, mac_key: macKey };
    expect(await call('POST', '/agents/enrol', { body: again })).toMatchObject({
      status: 409,
      body: { code: 'token-used' },
    });
    const unknown = { ...again, token: randomBytes(32).toString('base64url') };
    expect((await call('POST', '/agents/enrol', { body: unknown })).status).toBe(401);
    const noCsr = { ...again, token: (await expected(1)).token, csr: 'none' };
    expect((await call('POST', '/agents/enrol', { body: noCsr })).status).toBe(400);
  });

  it('answers nobody without the certificate of a living agent, and no other party', async () => {
    expect((await call('GET', '/agents/work')).status).toBe(401);
    const credentials = await enrolled(await expected(1));
    expect((await call('GET', '/agents/peers?party=1', credentials)).status).toBe(200);
    expect(await call('GET', '/agents/peers?party=0', credentials)).toMatchObject({
      status: 403,
      body: { code: 'wrong-party' },
    });
    const tomorrow = new Date(Date.now() + 86_400_000);
    const other = new CertificateAuthority({
      commonName: 'Parties',
      uri: 'spiffe://glacis.local',
      keys: await generateKeys('ECDSA-P256'),
      notAfter: tomorrow,
    });
    const { privateKey, publicKey } = await generateKeys('ECDSA-P256');
    const [uri] = readCertificate(fromPem(credentials.cert)[0]?.der as Buffer).uris;
    const wish = { commonName: 'x', publicKey, names: { uris: [uri ?? ''] }, notAfter: tomorrow };
    const cert = toPem('CERTIFICATE', other.sign(wish));
    const foreign = { key: privateKeyPem(privateKey), cert };
    expect((await call('GET', '/agents/work', foreign)).status).toBe(401);
  });

  it('hands out an instruction until it is acknowledged, and takes each report once', async () => {
    const started = await expected(2);
    const credentials = await enrolled(started);
    const waiting = call('GET', '/agents/work?wait=20', credentials);
    const store = stand.get(Store);
    await insertInstruction(store, {
      id: randomUUID(),
      agentId: started.id,
      step: 'keys',
      planHash: null,
      body: {},
      now: new Date(),
    });
    stand.get(Bells).ring(started.id);
    const { body: work } = await waiting;
    expect(work).toMatchObject({ step: 'keys', plan_hash: null, body: {} });
    expect((await call('GET', '/agents/work', credentials)).body.id).toBe(work.id);
    const say = (status: string, id: string, result?: unknown): Promise<{ status: number }> =>
      call('POST', '/agents/reports', {
        ...credentials,
        body: { id, instruction: work.id, status, result },
      });
    expect((await say('accepted', 'r1')).status).toBe(204);
    expect((await call('GET', '/agents/work', credentials)).status).toBe(204);
    const done = randomUUID();
    for (const key of ['first', 'second']) await say('done', done, { seal_key: key });
    const [instructed] = await instructedOf(store, [started.id], 'keys');
    expect(instructed).toMatchObject({ failure: null, result: { seal_key: 'first' } });
  });

  it('names the peers of the same job and attempt', async () => {
    const jobId = randomUUID();
    const parties = [await expected(0, jobId), await expected(1, jobId)];
    const [first] = [await enrolled(parties[0] as Started), await enrolled(parties[1] as Started)];
    const { body } = await call('GET', '/agents/peers', first);
    expect(body.peers).toEqual([
      {
        party: 1,
        uri: expect.stringContaining(parties[1]?.id ?? ''),
        mac_key: macKey,
        address: null,
      },
    ]);
  });
});
