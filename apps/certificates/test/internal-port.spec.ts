import { fileURLToPath } from 'node:url';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  status,
  type Client,
  type GrpcObject,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { ServiceCertificate } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { InternalPort } from '../src/index.js';
import { Suite } from './suite.js';

const protos = fileURLToPath(new URL('../../../proto/', import.meta.url));

interface Credentials {
  key: string | Buffer;
  cert: string | Buffer;
  ca: string | Buffer;
}

/** A client that knows no more of us than the .proto files. */
type ForeignClient = (method: string, request: object) => Promise<Record<string, unknown>>;

let suite: Suite;
let port: number;
const clients: Client[] = [];

beforeAll(async () => {
  suite = await Suite.start({ env: { GRPC_PORT: '0', GRPC_HOST: '127.0.0.1' } });
  const internal = suite.app.get(InternalPort, { strict: false });
  port = await waitFor(() => internal.port, { what: 'the internal port' });
});
afterAll(async () => {
  for (const client of clients) client.close();
  await Suite.stopAll();
});

async function serviceTls(service: string): Promise<Credentials> {
  const certificates = suite.directory.client('certificates');
  const { clock } = suite;
  const certificate = new ServiceCertificate({ service, names: [], certificates, clock });
  await certificate.refresh();
  return certificate.credentials();
}

async function foreign(tls: Credentials, file: string, service: string): Promise<ForeignClient> {
  const loaded = loadPackageDefinition(
    await load(`${protos}${file}`, { keepCase: true, enums: String, longs: Number }),
  );
  const found = service
    .split('.')
    .reduce<unknown>((at, name) => (at as GrpcObject)[name], loaded) as ServiceClientConstructor;
  const [ca, key, cert] = [tls.ca, tls.key, tls.cert].map((pem) => Buffer.from(pem));
  const client = new found(`localhost:${port}`, credentials.createSsl(ca, key, cert), {
    'grpc.use_local_subchannel_pool': 1,
  });
  clients.push(client);
  return (method, request) =>
    new Promise((resolve, reject) => {
      client[method]?.(
        request,
        new Metadata(),
        { deadline: Date.now() + 30_000 },
        (error: Error | null, reply: Record<string, unknown>) =>
          error ? reject(error) : resolve(reply),
      );
    });
}

const upstream = async (tls: Credentials): Promise<ForeignClient> =>
  foreign(tls, 'certs/absmach/certs.proto', 'absmach.certs.CertsService');
const ours = async (tls: Credentials): Promise<ForeignClient> =>
  foreign(tls, 'certs/v1/certificates.proto', 'glacis.certs.v1.Certificates');

const statusOf = async (serial: string, token: string): Promise<string> =>
  (await suite.send('GET', `/certs/${serial}`, { token })).json().status;

describe('certificates.md 8: the internal port', () => {
  it('answers GetEntityID, for revoked serials too, and NOT_FOUND for unknown ones', async () => {
    const call = await upstream(await serviceTls('tester'));
    const { serial, backend, token } = await suite.issued();
    expect(await call('GetEntityID', { serial_number: serial })).toEqual({ entity_id: backend });
    await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    expect(await call('GetEntityID', { serial_number: serial })).toEqual({ entity_id: backend });
    for (const unknown of ['1', 'no serial', '']) {
      await expect(call('GetEntityID', { serial_number: unknown })).rejects.toMatchObject({
        code: status.NOT_FOUND,
        details: 'unknown serial',
      });
    }
  });

  it('revokes all of an entity by RevokeCerts, in the name of the calling service', async () => {
    const call = await upstream(await serviceTls('tester'));
    const { serial, backend, token } = await suite.issued();
    const second = await suite.send('POST', `/certs/issue/backend/${backend}`, { token, body: {} });
    expect(await call('RevokeCerts', { entity_id: backend })).toEqual({});
    const serials = [serial, second.json().serial_number as string];
    for (const each of serials) expect(await statusOf(each, token)).toBe('revoked');
    const audit = await suite.store.query(
      `SELECT actor FROM audit WHERE action = 'certificate.revoke' AND subject = ANY($1)`,
      [serials],
    );
    expect(audit).toEqual([{ actor: 'service:tester' }, { actor: 'service:tester' }]);
    expect(await call('RevokeCerts', { entity_id: backend })).toEqual({});
    await expect(call('RevokeCerts', { entity_id: 'nobody' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('resolves and revokes with the numbers of the specification', async () => {
    const call = await ours(await serviceTls('tester'));
    const { serial, backend } = await suite.issued();
    expect(await call('Resolve', { serial_number: serial })).toMatchObject({
      entity_id: backend,
      entity_type: 'backend',
      tenant: 'tenant-a',
      status: 'STATUS_VALID',
      not_after: { seconds: expect.any(Number) },
      fingerprint_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      issuer_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      cert_file_sha512: [expect.any(Buffer), expect.any(Buffer)],
    });
    const entity = { tenant: 'tenant-a', entity_type: 'backend', entity_id: backend };
    expect(await call('RevokeEntity', { ...entity, reason: 5 })).toEqual({
      serial_numbers: [serial],
    });
    expect(await call('Resolve', { serial_number: serial })).toMatchObject({
      status: 'STATUS_REVOKED',
    });
    await expect(call('RevokeEntity', { ...entity, reason: 6 })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    await expect(
      call('IssueService', { csr: Buffer.from('none'), service: 'tester' }),
    ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(
      call('IssueService', { csr: Buffer.from('none'), service: 'other' }),
    ).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('refuses whoever is no service', async () => {
    const { serial, token } = await suite.issued();
    const files = await suite.files(serial, token);
    const tls = { key: files.private_key ?? '', cert: files.certificate, ca: files.ca };
    const refusal = { code: status.PERMISSION_DENIED, details: 'for services only' };
    const call = await ours(tls);
    await expect(call('Resolve', { serial_number: serial })).rejects.toMatchObject(refusal);
    const callUpstream = await upstream(tls);
    await expect(callUpstream('RevokeCerts', { entity_id: 'x' })).rejects.toMatchObject(refusal);
  });

  it('refuses a service as soon as its certificate is revoked, on its open connection too', async () => {
    const certificates = suite.directory.client('certificates');
    const call = await ours(await serviceTls('leaving'));
    await expect(call('Resolve', { serial_number: '1' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    const serials = await suite.store.query<{ tenant_id: string }>(
      `SELECT tenant_id FROM certificates WHERE entity_id = 'leaving'`,
    );
    await certificates.revokeEntity({
      tenant: serials[0]?.tenant_id ?? '',
      entityType: 'service',
      entityId: 'leaving',
      reason: 1,
    });
    await expect(call('Resolve', { serial_number: '1' })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: 'the certificate does not hold',
    });
  });

  it('says UNAVAILABLE when the CA cannot sign', async () => {
    const call = await upstream(await serviceTls('tester'));
    suite.clock.advance(3 * 365 * 24 * 3_600_000);
    await expect(serviceTls('late')).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'ca-unavailable',
    });
    await expect(call('GetEntityID', { serial_number: '1' })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
  });
});
