import { randomBytes } from 'node:crypto';
import type { CertificatesRpc } from '@glacis/contracts';
import { RpcDirectory, ServiceCertificate, status } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { InternalPort } from '../src/index.js';
import { Suite } from './suite.js';

const joinToken = randomBytes(32);
const opened: RpcDirectory[] = [];
let suite: Suite;
let port: number;

beforeAll(async () => {
  const env = { GRPC_PORT: '0', GRPC_HOST: '127.0.0.1', JOIN_SERVICES: 'backends,jobs' };
  suite = await Suite.start({ env, joinToken });
  const internal = suite.app.get(InternalPort, { strict: false });
  port = await waitFor(() => internal.port, { what: 'the internal port' });
});
afterAll(async () => {
  for (const directory of opened) directory.close();
  await Suite.stopAll();
});

/** A service in another process that starts with nothing but the token. */
function apart(service: string, token = joinToken): ServiceCertificate & { rpc: CertificatesRpc } {
  const directory = new RpcDirectory();
  opened.push(directory);
  directory.connect('certificates', { address: `127.0.0.1:${port}`, joinToken: token });
  const rpc = directory.client('certificates');
  const { clock } = suite;
  const certificate = new ServiceCertificate({ service, names: [], certificates: rpc, clock });
  directory.identify(() => certificate.credentials());
  return Object.assign(certificate, { rpc });
}

/** How often each outcome of a try to join was noted. */
async function audited(): Promise<Record<string, number>> {
  const rows = await suite.store.query<{ what: string; times: number }>(
    `SELECT subject || ' ' || (detail->>'result') AS what, count(*)::int AS times
     FROM audit WHERE action = 'service.join' GROUP BY 1`,
  );
  return Object.fromEntries(rows.map(({ what, times }) => [what, times]));
}

it('a service joins, calls, and renews by its certificate; a revoked one joins again', async () => {
  const service = apart('backends');
  expect(await service.refresh()).toBe(true);
  expect(await service.refresh()).toBe(false);
  const { cert } = service.credentials();
  await expect(service.rpc.resolve({ serialNumber: '1' })).rejects.toMatchObject({
    code: status.NOT_FOUND,
  });
  const [row] = await suite.store.query<{ tenant_id: string }>(
    `SELECT tenant_id FROM certificates WHERE entity_id = 'backends'`,
  );
  await suite.directory.client('certificates').revokeEntity({
    tenant: row?.tenant_id ?? '',
    entityType: 'service',
    entityId: 'backends',
    reason: 1,
  });
  await expect(service.rpc.resolve({ serialNumber: '1' })).rejects.toMatchObject({
    code: status.UNAUTHENTICATED,
  });
  // As after the compromise of an intermediate: the entity goes on, its certificates do not.
  await suite.store.query('DELETE FROM ended_entities');
  expect(await service.refresh()).toBe(true);
  expect(service.credentials().cert).not.toBe(cert);
  await expect(service.rpc.resolve({ serialNumber: '1' })).rejects.toMatchObject({
    code: status.NOT_FOUND,
  });
  expect(await audited()).toEqual({ 'backends admitted': 2 });
});

it('whoever is no service that may join is refused and noted, and has to wait after ten tries', async () => {
  await expect(apart('certificates').refresh()).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    message: 'no service of that name may join',
  });
  const stranger = apart('backends', randomBytes(32));
  await expect(stranger.refresh()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  for (let i = 0; i < 8; i++) await stranger.refresh().catch(() => undefined);
  await expect(stranger.refresh()).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    reason: 'rate-limited',
  });
  expect(await audited()).toMatchObject({
    'certificates forbidden': 1,
    'unknown unauthenticated': 9,
  });
  // Who holds the token is not held up by others' failures.
  expect(await apart('jobs').refresh()).toBe(true);
});

it('revocations reach a watcher of one replica from another one', async () => {
  const replica = await suite.replica({ GRPC_PORT: '' });
  const service = apart('jobs');
  await service.refresh();
  const { serial, token } = await suite.issued();
  const heard = (async () => {
    const news = service.rpc.watchRevocations({ after: 0 }, AbortSignal.timeout(20_000));
    for await (const { revocation } of news) {
      if (revocation?.serialNumber === serial) return revocation;
    }
    return undefined;
  })();
  await replica.send('PATCH', `/certs/${serial}/revoke`, { token, body: { reason: 1 } });
  expect(await heard).toMatchObject({ serialNumber: serial, reason: 1 });
});
