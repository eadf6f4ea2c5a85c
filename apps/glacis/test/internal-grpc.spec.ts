import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { InternalPort as BackendsPort } from '@glacis/backends';
import { InternalPort as CertificatesPort } from '@glacis/certificates';
import { InternalPort as GatewayPort } from '@glacis/gateway';
import type { RpcContracts } from '@glacis/contracts';
import { RpcDirectory, ServiceCertificate, status, type RemoteOptions } from '@glacis/grpc';
import { joinPeers, makeHost, type Program } from '@glacis/host';
import { TokenIssuer } from '@glacis/identity';
import { createLogger } from '@glacis/observability';
import { systemClock, waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { temporaryFolder, testDatabase, type TestDatabase } from '@glacis/testbed';
import type { Type } from '@nestjs/common';
import { Api } from '../src/demo/api.js';
import { openDataFolder } from '../src/data-folder.js';
import { suiteSettings } from '../src/settings.js';
import { open } from '../src/suite.js';

const ports = ['GLACIS_CERTS_GRPC_PORT', 'GLACIS_BACKENDS_GRPC_PORT', 'GLACIS_GATEWAY_GRPC_PORT'];
const joinToken = randomBytes(32);
const opened: RpcDirectory[] = [];
const ended: (() => Promise<void>)[] = [];
let database: TestDatabase;
let program: Program;
let app: Program['app'];
let api: Api;
let local: RpcDirectory;
let remote: RpcDirectory;

/** The suite's services in this process, with the internal ports turned on. */
async function start(): Promise<void> {
  database = await testDatabase();
  const dataFolder = await openDataFolder(join(await temporaryFolder(), 'data'));
  const settings = loadSettings(suiteSettings, {
    env: {},
    overrides: { port: '0', logLevel: 'error' },
  });
  const host = { ...makeHost('test', settings, database.url), joinToken };
  program = await open(settings, dataFolder, host);
  ({ app } = program);
  const member = { subject: 'tester', tenant: 'tenant-a', roles: ['admin'], ttlMs: 3_600_000 };
  api = new Api(program.url, (await app.get(TokenIssuer).issue(member)).token);
}

/** Where the internal port of each service is. */
function places(): Record<'certsGrpcUrl' | 'backendsGrpcUrl' | 'gatewayGrpcUrl', string> {
  const portOf = (type: Type<{ port: number | undefined }>): string =>
    `localhost:${app.get(type, { strict: false }).port}`;
  return {
    certsGrpcUrl: portOf(CertificatesPort),
    backendsGrpcUrl: portOf(BackendsPort),
    gatewayGrpcUrl: portOf(GatewayPort),
  };
}

/** Another process as the wire sees it: nothing provided, the services at their ports. */
function elsewhere(credentials: RemoteOptions['credentials']): RpcDirectory {
  const directory = new RpcDirectory();
  const { certsGrpcUrl, backendsGrpcUrl, gatewayGrpcUrl } = places();
  directory.connect('certificates', { address: certsGrpcUrl, credentials });
  directory.connect('backends', { address: backendsGrpcUrl, credentials });
  directory.connect('gateway', { address: gatewayGrpcUrl, credentials });
  opened.push(directory);
  return directory;
}

beforeAll(async () => {
  const own = [
    'GLACIS_BACKENDS_MANAGER_PORT',
    'GLACIS_BACKENDS_AGENT_PORT',
    'GLACIS_CERTS_EST_PORT',
    'GLACIS_JOBS_AGENTS_PORT',
  ];
  for (const name of [...ports, ...own]) process.env[name] = '0';
  await start();
  local = app.get(RpcDirectory);
  const certificate = new ServiceCertificate({
    service: 'computations',
    names: [],
    certificates: local.client('certificates'),
    clock: systemClock,
  });
  await certificate.refresh();
  remote = elsewhere(() => certificate.credentials());
});
afterAll(async () => {
  for (const end of ended) await end();
  for (const directory of opened) directory.close();
  await program?.stop();
  await database?.drop();
});

/** A new backend with that address, and a certificate of it. */
async function enrolled(address = ''): Promise<{ backend: string; serial: string }> {
  const created = await api.call('POST', '/backends', { name: randomUUID(), address });
  const backend = idFrom(created);
  const serial = idFrom(await api.call('POST', `/certs/issue/backend/${backend}`, {}));
  return { backend, serial };
}

/** What the last part of `Location` names. */
function idFrom(reply: Response): string {
  return reply.headers.get('location')?.split('/').at(-1) ?? '';
}

type Outcome = { reply: unknown } | { code: unknown; reason: unknown; message: unknown };

async function outcome(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { reply: await call };
  } catch (error) {
    const { code, reason, message } = error as Record<string, unknown>;
    return { code, reason, message };
  }
}

/** The same call in this process and over the wire. */
async function both<K extends keyof RpcContracts>(
  name: K,
  call: (client: RpcContracts[K]) => Promise<unknown>,
): Promise<Outcome> {
  const here = await outcome(call(local.client(name)));
  expect(await outcome(call(remote.client(name)))).toEqual(here);
  return here;
}

describe('calls between services, in one process and over mutual TLS', () => {
  it('resolve a certificate alike, and refuse alike what is unknown', async () => {
    const { backend, serial } = await enrolled();
    expect(await both('certificates', (it) => it.resolve({ serialNumber: serial }))).toMatchObject({
      reply: { entityId: backend, entityType: 'backend', tenant: 'tenant-a', status: 'valid' },
    });
    expect(await both('certificates', (it) => it.resolve({ serialNumber: '1' }))).toEqual({
      code: status.NOT_FOUND,
      reason: 'not-found',
      message: 'unknown serial',
    });
  });

  it('revoke what an entity has, seen by the other at once', async () => {
    const { backend, serial } = await enrolled();
    const entity = { tenant: 'tenant-a', entityType: 'backend', entityId: backend, reason: 1 };
    expect(await remote.client('certificates').revokeEntity(entity)).toEqual({
      serialNumbers: [serial],
    });
    expect(await both('certificates', (it) => it.revokeEntity(entity))).toEqual({
      reply: { serialNumbers: [] },
    });
    expect(await both('certificates', (it) => it.resolve({ serialNumber: serial }))).toMatchObject({
      reply: { status: 'revoked' },
    });
    expect(
      await both('certificates', (it) => it.revokeEntity({ ...entity, reason: 6 })),
    ).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('issue for the service that asks, and for no other', async () => {
    const certificate = new ServiceCertificate({
      service: 'computations',
      names: ['computations.example', '10.9.8.7'],
      certificates: remote.client('certificates'),
      clock: systemClock,
    });
    expect(await certificate.refresh()).toBe(true);
    const renewed = elsewhere(() => certificate.credentials()).client('certificates');
    await expect(renewed.resolve({ serialNumber: '1' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    const bad = { csr: Buffer.from('x'), dnsNames: [], ipAddresses: [] };
    const own = { ...bad, service: 'computations' };
    expect(await both('certificates', (it) => it.issueService(own))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'malformed',
    });
    await expect(
      remote.client('certificates').issueService({ ...bad, service: 'backends' }),
    ).rejects.toMatchObject({ code: status.PERMISSION_DENIED, reason: 'forbidden' });
  });

  it('tell of the trusted CAs and of revocations alike', async () => {
    const first = async <T>(of: (signal: AbortSignal) => AsyncIterable<T>): Promise<T> => {
      for await (const item of of(AbortSignal.timeout(10_000))) return item;
      throw new Error('nothing came');
    };
    await both('certificates', (it) => first((signal) => it.trustBundle({}, signal)));
    const { serial } = await enrolled();
    const heard = [local, remote].map((directory) =>
      first(async function* (signal) {
        const news = directory.client('certificates').watchRevocations({ after: 0 }, signal);
        for await (const { revocation } of news) {
          if (revocation?.serialNumber === serial) yield revocation;
        }
      }),
    );
    await api.call('PATCH', `/certs/${serial}/revoke`, {});
    const [here, there] = await Promise.all(heard);
    expect(there).toEqual(here);
  });

  it('find backends and the holders of names alike', async () => {
    const { backend } = await enrolled('own.example');
    expect(await both('backends', (it) => it.get({ id: backend }))).toMatchObject({
      reply: { id: backend, tenant: 'tenant-a', address: 'own.example' },
    });
    expect(await both('backends', (it) => it.get({ id: 'nobody' }))).toMatchObject({
      code: status.NOT_FOUND,
    });
    const names = ['own.example', 'free.example'];
    for (const [tenant, holder] of [
      ['tenant-a', 1],
      ['tenant-b', 3],
    ] as const) {
      const request = { tenant, backendId: backend, entityType: 'backend' as const, names };
      const own = tenant === 'tenant-a';
      expect(await both('backends', (it) => it.checkNames(request))).toEqual({
        reply: { exists: own, addressIsOurs: own, holders: [holder, 0] },
      });
    }
  });

  it('run and stop alike, and terminate in the name of the service', async () => {
    const { backend } = await enrolled();
    const run = { backendId: backend, computationRunReq: Buffer.of(0xff) };
    expect(await both('backends', (it) => it.run(run))).toHaveProperty(
      'code',
      status.INVALID_ARGUMENT,
    );
    const stop = { backendId: backend, computationId: 'none' };
    expect(await both('backends', (it) => it.stop(stop))).toHaveProperty(
      'code',
      status.FAILED_PRECONDITION,
    );
    const wish = { backendId: backend, type: 1 as const, reason: 'done', requestedBy: 'ignored' };
    const { requestId } = await remote.client('backends').terminate(wish);
    const page = await api.json<object>('GET', `/backends/${backend}/terminations`);
    expect(JSON.stringify(page)).toContain(requestId);
    expect(JSON.stringify(page)).toContain('service:computations');
  });

  it('give the operator a token by which it administers that tenant, and no other service one', async () => {
    const settings = { ...places(), joinToken, joinTokenFile: undefined };
    const logger = createLogger({ name: 'test', level: 'silent' });
    const peers = await joinPeers('operator', settings, { logger });
    ended.push(() => peers.stop());
    await waitFor(async () => peers.check() === undefined, { what: 'a certificate by the token' });
    const operator = peers.directory.client('gateway');
    const wish = { tenant: 'tenant-a', requestedBy: 'ignored' };
    const { token } = await operator.issueToken(wish);
    const asOperator = new Api(program.url, token);
    const { backend } = await enrolled();
    expect((await asOperator.call('GET', `/backends/${backend}`)).status).toBe(200);
    const other = await operator.issueToken({ ...wish, tenant: 'tenant-b' });
    const asOther = new Api(program.url, other.token);
    await expect(asOther.call('GET', `/backends/${backend}`)).rejects.toThrow('404');
    await expect(remote.client('gateway').issueToken(wish)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'forbidden',
    });
    const trail = await asOperator.json<{ entries: object[] }>(
      'GET',
      '/audit/gateway?action=token.create',
    );
    expect(trail.entries).toMatchObject([
      { actor: 'service:operator', tenant: 'tenant-a', after: { roles: ['admin'] } },
    ]);
  });

  it('tell the keys of tokens and the revoked tokens alike', async () => {
    await both('gateway', (it) => it.keySet({}));
    await both('gateway', async (it) => (await it.revokedTokens({})).revoked);
    expect(await both('gateway', (it) => it.revokedTokens({ since: 'x' }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });

  it('refuse a backend that dials the internal ports with its certificate', async () => {
    const { serial } = await enrolled();
    const { token } = await api.json<{ token: string }>('GET', `/certs/${serial}/download/token`);
    const accept = { accept: 'application/json' };
    const reply = await api.anonymous(`/certs/${serial}/download?token=${token}`, accept);
    const files = (await reply.json()) as Record<'ca' | 'certificate' | 'private_key', string>;
    const pem = (name: keyof typeof files): Buffer => Buffer.from(files[name], 'base64');
    const tls = { key: pem('private_key'), cert: pem('certificate'), ca: pem('ca') };
    const intruder = elsewhere(() => tls);
    const refusal = { code: status.PERMISSION_DENIED, reason: 'forbidden' };
    await expect(
      intruder.client('certificates').resolve({ serialNumber: serial }),
    ).rejects.toMatchObject(refusal);
    await expect(intruder.client('backends').get({ id: 'x' })).rejects.toMatchObject(refusal);
    await expect(intruder.client('gateway').keySet({})).rejects.toMatchObject(refusal);
  });
});
