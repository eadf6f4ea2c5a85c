import { Client, credentials, status, type ClientDuplexStream } from '@grpc/grpc-js';
import { agentDialects } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { startSuite, type EmbeddedSuite } from './running-suite.js';

let suite: EmbeddedSuite;
let agents: string;
const clients: Client[] = [];

beforeAll(async () => {
  suite = await startSuite();
  [, agents = ''] = await suite.process.line(/agents (\S+?),/);
});
afterAll(async () => {
  for (const client of clients) client.close();
  await suite?.close();
});

const dialect = agentDialects['v0.10'];
const asBytes = (bytes: Buffer): Buffer => bytes;

/** Certificate and key of a VM, got as clients of 2025 get them. */
async function filesOf(cvm: string): Promise<Record<'serial' | 'ca' | 'cert' | 'key', string>> {
  const claims = JSON.parse(Buffer.from(suite.token.split('.')[1] ?? '', 'base64url').toString());
  const base = `/${claims.domain}/certs`;
  const issued = await suite.api.json<{ serial_number: string }>(
    'POST',
    `${base}/issue/cvm/${cvm}`,
    { ttl: '1h' },
  );
  const serial = issued.serial_number;
  const path = `${base}/${serial}/download/token`;
  const { token } = await suite.api.json<{ token: string }>('GET', path);
  const reply = await suite.api.anonymous(`${base}/${cvm}/download?downloadToken=${token}`, {
    accept: 'application/json',
  });
  const files = (await reply.json()) as Record<'ca' | 'certificate' | 'private_key', string>;
  const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
  return {
    serial,
    ca: text(files.ca),
    cert: text(files.certificate),
    key: text(files.private_key),
  };
}

function dial({ ca, cert, key }: Record<'ca' | 'cert' | 'key', string>): {
  call: ClientDuplexStream<Buffer, Buffer>;
  ended: Promise<{ code: status }>;
} {
  const tls = credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
  const client = new Client(agents, tls, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  clients.push(client);
  const call = client.makeBidiStreamRequest('/cvms.Service/Process', asBytes, asBytes);
  call.on('data', () => undefined).on('error', () => undefined);
  return { call, ended: new Promise((resolve) => call.on('status', resolve)) };
}

it('certificates.md 10.2: an agent connects with the certificate of its VM, until that is revoked', async () => {
  const host = await suite.api.call('POST', '/backends', { name: 'host' });
  const idOf = (reply: Response): string => reply.headers.get('location')?.split('/').at(-1) ?? '';
  const body = { name: 'vm', entity_type: 'cvm', host: idOf(host) };
  const cvm = idOf(await suite.api.call('POST', '/backends', body));
  const files = await filesOf(cvm);
  const { call, ended } = dial(files);
  const shown = (): Promise<Record<string, unknown>> => suite.api.json('GET', `/backends/${cvm}`);
  await waitFor(async () => (await shown()).active === true, { what: 'the agent' });
  expect(await shown()).toMatchObject({
    certificate_serial: files.serial,
    protocol: 'v0.10',
    entity_type: 'cvm',
    verdict: 'unverified',
  });
  const report = { file: Buffer.from('report'), certSerialNumber: files.serial };
  call.write(dialect.encodeClient({ kind: 'vtpmEvidence', value: report }));
  await waitFor(
    async () => {
      const path = `/backends/${cvm}/evidence`;
      return (await suite.api.json<{ evidence: unknown[] }>('GET', path)).evidence.length === 1;
    },
    { what: 'the evidence' },
  );
  await suite.api.call('PATCH', `/certs/${files.serial}/revoke`);
  expect(await ended).toMatchObject({ code: status.UNAUTHENTICATED });
  expect((await dial(files).ended).code).not.toBe(status.OK);
  await waitFor(async () => (await shown()).active === undefined, { what: 'the end' });
});
