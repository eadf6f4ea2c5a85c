import { X509Certificate } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type {
  BackendEvent,
  BackendsRpc,
  CertificatesRpc,
  GatewayRpc,
  ResolvedCertificate,
  RevokedTokensPage,
  RevocationNews,
} from '@glacis/contracts';
import { waitFor } from '@glacis/runtime';
import { TestCa } from '../../test/test-ca.js';
import { RpcDirectory } from '../rpc-directory.js';
import { RpcError } from '../rpc-error.js';
import type { TlsCredentials } from '../tls/mutual-tls.js';
import { RpcServer, served, type RpcServerOptions } from './rpc-server.js';
import { wires } from './wires.js';

const notAfter = new Date('2027-01-02T03:04:05.678Z');
const hash = Buffer.alloc(64, 7);

/** What `certificates` would tell of the certificates that the test's CA has made, by decimal serial. */
const known = new Map<string, ResolvedCertificate>();
const failures: unknown[] = [];
const asked: unknown[] = [];
/** Streams that somebody still answers. */
let open = 0;
/** Answered before the implementation is asked, first to last. */
const refusals: Error[] = [];

function answer<T>(request: unknown, reply: T): Promise<T> {
  asked.push(request);
  const refusal = refusals.shift();
  return refusal ? Promise.reject(refusal) : Promise.resolve(reply);
}

const bundle = {
  caPem: 'ca\n',
  rootsPem: 'root\n',
  version: 7,
  revokedIssuerIds: ['d'.repeat(32)],
};
const happened: BackendEvent = {
  id: 'e1',
  type: 'backend.connected',
  time: notAfter,
  tenant: 't',
  subject: 'b',
  data: { backend_id: 'b', epoch: 7, peer: '\u2028' },
};
const revoked = { revokedAt: notAfter, reason: 1, issuerId: 'c'.repeat(32) };
const news: RevocationNews[] = [
  { sequence: 8, revocation: { sequence: 8, serialNumber: '2', entityId: 'e', ...revoked } },
  { sequence: 9, revocation: { sequence: 9, ...revoked } },
  { sequence: 9 },
];

/** Items without end, the last one again and again, as long as somebody takes them. */
async function* answers<T>(
  request: unknown,
  signal: AbortSignal,
  items: readonly T[],
): AsyncGenerator<T, void> {
  await answer(request, undefined);
  open += 1;
  try {
    for (let i = 0; !signal.aborted; i++) {
      yield items[Math.min(i, items.length - 1)]!;
      await setImmediate();
    }
  } finally {
    open -= 1;
  }
}

const certificates: CertificatesRpc = {
  resolve: (request) =>
    answer(request, {
      entityId: 'host',
      entityType: 'backend',
      tenant: 'tenant-a',
      status: ({ '1': 'valid', '2': 'revoked' } as const)[request.serialNumber] ?? 'expired',
      notAfter,
      fingerprintSha256: 'ab'.repeat(32),
      issuerId: 'c'.repeat(32),
      certFileSha512: [hash, Buffer.alloc(64)],
    }),
  issueService: (request) =>
    answer(request, { chainPem: 'leaf\nissuer\n', caPem: 'ca\n', notAfter }),
  issueVm: (request) => answer(request, { chainPem: 'leaf\nissuer\n', caPem: 'ca\n', notAfter }),
  issueParty: (request) => answer(request, { chainPem: 'leaf\nissuer\n', caPem: 'ca\n', notAfter }),
  revokeEntity: (request) => answer(request, { serialNumbers: ['1', '2'.repeat(39)] }),
  createEnrolmentToken: (request) =>
    answer(request, { token: 't', expiresAt: notAfter, caSha256: 'ab' }),
  watchRevocations: (request, signal) => answers(request, signal, news),
  trustBundle: (request, signal) => answers(request, signal, [bundle]),
};

const backends: BackendsRpc = {
  get: (request) => answer(request, { id: request.id, tenant: 't', name: 'ñ', address: '' }),
  run: (request) => answer(request, { accepted: true, queuePosition: 3 }),
  stop: (request) => answer(request, {}),
  terminate: (request) => answer(request, { requestId: 'r1' }),
  watch: (request, signal) => answers(request, signal, [happened]),
  checkNames: (request) =>
    answer(request, { exists: true, addressIsOurs: false, holders: request.names.map(() => 3) }),
};

const revokedTokens: RevokedTokensPage = {
  revoked: [{ id: 'jti', expiresAt: notAfter }],
  watermark: '18446744073709551615',
  more: true,
};
const gateway: GatewayRpc = {
  issueToken: (request) => answer(request, { token: 'a.b.c', expiresAt: notAfter }),
  keySet: (request) => answer(request, { jwks: '{"keys":[]}' }),
  revokedTokens: (request) => answer(request, revokedTokens),
};

let root: TestCa;
let directories: Record<'local' | 'remote', RpcDirectory>;
const servers: RpcServer[] = [];
const opened: RpcDirectory[] = [];

/** A certificate of an entity, known to be valid unless another status is said. */
async function identity(
  type: string,
  id: string,
  standing: ResolvedCertificate['status'] = 'valid',
): Promise<TlsCredentials> {
  const uris = [`spiffe://test/tenant/t/${type}/${id}`];
  const pem = await root.issue(id, { uris, dns: ['localhost'], ips: ['127.0.0.1'] });
  const { serialNumber, fingerprint256 } = new X509Certificate(pem.cert);
  known.set(BigInt(`0x${serialNumber}`).toString(), {
    entityId: id,
    entityType: type,
    tenant: 't',
    status: standing,
    notAfter,
    fingerprintSha256: fingerprint256.replaceAll(':', '').toLowerCase(),
    issuerId: '',
    certFileSha512: [],
  });
  return { ...pem, ca: root.pem };
}

async function resolve({ serialNumber }: { serialNumber: string }): Promise<ResolvedCertificate> {
  const certificate = known.get(serialNumber);
  if (!certificate) throw new RpcError(status.NOT_FOUND, 'not-found', 'unknown serial');
  return certificate;
}

const methodsOf = {
  certificates: served(wires.certificates, certificates),
  backends: served(wires.backends, backends),
  gateway: served(wires.gateway, gateway),
};

async function serverOf(
  name: keyof typeof wires,
  tls: TlsCredentials,
  more: Partial<RpcServerOptions> = {},
): Promise<RpcServer> {
  const server = new RpcServer({
    ...more,
    service: name,
    host: '127.0.0.1',
    port: 0,
    credentials: () => tls,
    resolve,
    methods: methodsOf[name],
    onFailure: (error) => failures.push(error.cause),
  });
  await server.open();
  servers.push(server);
  return server;
}

/** A directory that finds `name` at the given port only. */
function remote(
  name: keyof typeof wires,
  port: number | undefined,
  more: { credentials: () => TlsCredentials; deadlineMs?: number },
): RpcDirectory {
  const directory = new RpcDirectory();
  directory.connect(name, { address: `127.0.0.1:${port}`, ...more });
  opened.push(directory);
  return directory;
}

beforeAll(async () => {
  root = await TestCa.create();
  const local = new RpcDirectory();
  local.provide('certificates', certificates);
  local.provide('backends', backends);
  local.provide('gateway', gateway);
  const tester = await identity('service', 'tester');
  const apart = new RpcDirectory();
  for (const name of ['certificates', 'backends', 'gateway'] as const) {
    const { port } = await serverOf(name, await identity('service', name));
    apart.connect(name, { address: `127.0.0.1:${port}`, credentials: () => tester });
  }
  opened.push(apart);
  directories = { local, remote: apart };
});

beforeEach(() => {
  for (const list of [asked, refusals, failures]) list.length = 0;
});

afterAll(async () => {
  for (const directory of opened) directory.close();
  await Promise.all(servers.map((server) => server.close()));
});

describe.each(['local', 'remote'] as const)('a %s service', (where) => {
  const ofCertificates = (): CertificatesRpc => directories[where].client('certificates');
  const ofBackends = (): BackendsRpc => directories[where].client('backends');

  it.each([
    ['1', 'valid'],
    ['2', 'revoked'],
    ['3', 'expired'],
  ])('resolves serial %s as %s', async (serialNumber, standing) => {
    expect(await ofCertificates().resolve({ serialNumber })).toEqual({
      entityId: 'host',
      entityType: 'backend',
      tenant: 'tenant-a',
      status: standing,
      notAfter,
      fingerprintSha256: 'ab'.repeat(32),
      issuerId: 'c'.repeat(32),
      certFileSha512: [hash, Buffer.alloc(64)],
    });
    expect(asked).toEqual([{ serialNumber }]);
  });

  it('issues for services and revokes what an entity has', async () => {
    const wish = {
      csr: hash,
      service: 'tester',
      dnsNames: ['a.b'],
      ipAddresses: ['::1', '10.0.0.1'],
    };
    const issued = { chainPem: 'leaf\nissuer\n', caPem: 'ca\n', notAfter };
    expect(await ofCertificates().issueService(wish)).toEqual(issued);
    const entity = { tenant: 't', entityType: 'backend', entityId: 'e', reason: 5 };
    const revoked = { serialNumbers: ['1', '2'.repeat(39)] };
    expect(await ofCertificates().revokeEntity(entity)).toEqual(revoked);
    expect(asked).toEqual([wish, entity]);
  });

  it('issues for VMs, in the name of the calling service', async () => {
    const by = 'service:tester';
    const wish = { csr: hash, tenant: 't', vmId: 'v', ttlSeconds: 600, requestedBy: by };
    const issued = { chainPem: 'leaf\nissuer\n', caPem: 'ca\n', notAfter };
    expect(await ofCertificates().issueVm(wish)).toEqual(issued);
    expect(asked).toEqual([wish]);
  });

  it('issues for parties, in the name of the calling service', async () => {
    const by = 'service:tester';
    const wish = { csr: hash, tenant: 't', partyId: 'p', ttlSeconds: 600, requestedBy: by };
    const issued = { chainPem: 'leaf\nissuer\n', caPem: 'ca\n', notAfter };
    expect(await ofCertificates().issueParty(wish)).toEqual(issued);
    expect(asked).toEqual([wish]);
  });

  it('makes enrolment tokens, in the name of the calling service', async () => {
    const wish = {
      tenant: 't',
      backendId: 'b',
      ttlSeconds: 3_600,
      cidr: '10.0.0.0/8',
      requestedBy: 'service:tester',
    };
    const made = { token: 't', expiresAt: notAfter, caSha256: 'ab' };
    expect(await ofCertificates().createEnrolmentToken(wish)).toEqual(made);
    expect(asked).toEqual([wish]);
  });

  it('streams what is revoked and what is trusted, until its taker has enough', async () => {
    const seen: RevocationNews[] = [];
    const signal = AbortSignal.timeout(20_000);
    for await (const each of ofCertificates().watchRevocations({ after: 7 }, signal)) {
      if (seen.push(each) === 3) break;
    }
    expect(seen).toEqual(news);
    for await (const each of ofCertificates().trustBundle({}, signal)) {
      expect(each).toEqual(bundle);
      break;
    }
    expect(asked).toEqual([{ after: 7 }, {}]);
    await waitFor(() => open === 0, { what: 'the streams to end at their other end' });
  });

  it('streams what happens to the backends of a tenant', async () => {
    const signal = AbortSignal.timeout(20_000);
    for await (const each of ofBackends().watch({ tenant: 't' }, signal)) {
      expect(each).toEqual(happened);
      break;
    }
    expect(asked).toEqual([{ tenant: 't' }]);
    await waitFor(() => open === 0, { what: 'the stream to end at its other end' });
  });

  it('ends a stream with the signal, also one that is stuck', async () => {
    const enough = new AbortController();
    const watch = ofCertificates().watchRevocations({ after: 0 }, enough.signal);
    for await (const _ of watch) enough.abort();
    await waitFor(() => open === 0, { what: 'the stream to end at its other end' });
  });

  it('refuses a stream as it refuses a call', async () => {
    refusals.push(new RpcError(status.RESOURCE_EXHAUSTED, 'rate-limited', 'too many'));
    const watch = ofCertificates().watchRevocations({ after: 0 }, AbortSignal.timeout(20_000));
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      name: 'RpcError',
      code: status.RESOURCE_EXHAUSTED,
      reason: 'rate-limited',
    });
  });

  it('gives, runs and stops', async () => {
    const backend = { id: 'ü', tenant: 't', name: 'ñ', address: '' };
    expect(await ofBackends().get({ id: 'ü' })).toEqual(backend);
    const run = { backendId: 'b', computationRunReq: Buffer.alloc(1_000_000, 1) };
    expect(await ofBackends().run(run)).toEqual({ accepted: true, queuePosition: 3 });
    const stop = { backendId: 'b', computationId: 'c' };
    expect(await ofBackends().stop(stop)).toEqual({});
    expect(asked).toEqual([{ id: 'ü' }, run, stop]);
  });

  it('terminates, with and without a reason', async () => {
    const wish = { backendId: 'b', type: 0 as const, requestedBy: 'service:tester' };
    expect(await ofBackends().terminate(wish)).toEqual({ requestId: 'r1' });
    await ofBackends().terminate({ ...wish, type: 1, reason: '' });
    expect(asked).toEqual([wish, { ...wish, type: 1, reason: '' }]);
  });

  it.each([[[]], [['a', '10.0.0.1', '']]])('tells whose the names %j are', async (names) => {
    const request = { tenant: 't', backendId: 'b', entityType: 'cvm' as const, names };
    expect(await ofBackends().checkNames(request)).toEqual({
      exists: true,
      addressIsOurs: false,
      holders: names.map(() => 3),
    });
    expect(asked).toEqual([request]);
  });

  it('makes tokens, in the name of the calling service', async () => {
    const wish = { tenant: 'ñ', requestedBy: 'service:tester' };
    const made = { token: 'a.b.c', expiresAt: notAfter };
    expect(await directories[where].client('gateway').issueToken(wish)).toEqual(made);
    expect(asked).toEqual([wish]);
  });

  it('tells the keys of tokens and the revoked tokens, from the beginning or a watermark on', async () => {
    const client = directories[where].client('gateway');
    expect(await client.keySet({})).toEqual({ jwks: '{"keys":[]}' });
    expect(await client.revokedTokens({})).toEqual(revokedTokens);
    expect(await client.revokedTokens({ since: '7' })).toEqual(revokedTokens);
    expect(asked).toEqual([{}, {}, { since: '7' }]);
  });

  it('passes on a refusal with code, reason and text', async () => {
    const refusal = new RpcError(status.FAILED_PRECONDITION, 'conflict', 'no: 100 % “busy”\n');
    refusals.push(refusal);
    await expect(ofBackends().stop({ backendId: 'b', computationId: 'c' })).rejects.toMatchObject({
      name: 'RpcError',
      code: refusal.code,
      reason: refusal.reason,
      message: refusal.message,
    });
    expect(failures).toEqual([]);
  });

  it('tells nothing of a failure that is no refusal', async () => {
    refusals.push(new TypeError('secret detail'));
    await expect(ofBackends().get({ id: 'a' })).rejects.toMatchObject({
      name: 'RpcError',
      code: status.INTERNAL,
      reason: 'internal',
      message: 'backends failed',
    });
  });
});

describe('a service in another process', () => {
  const away = (): RpcError => new RpcError(status.UNAVAILABLE, 'unavailable', 'away');

  it('logs the cause of a failure that it does not tell', async () => {
    const bug = new TypeError('secret detail');
    refusals.push(bug);
    await expect(directories.remote.client('backends').get({ id: 'a' })).rejects.toThrow(
      'backends failed',
    );
    expect(failures).toEqual([bug]);
  });

  it('is asked again for what is idempotent while it is UNAVAILABLE, and once for the rest', async () => {
    refusals.push(away(), away());
    const client = directories.remote.client('backends');
    expect(await client.get({ id: 'a' })).toMatchObject({ id: 'a' });
    expect(asked).toHaveLength(3);
    refusals.push(away());
    await expect(client.stop({ backendId: 'b', computationId: 'c' })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      message: 'away',
    });
    expect(asked).toHaveLength(4);
  });

  it('ends streams after their limit, and the taker goes on with a new one', async () => {
    const server = await serverOf('certificates', await identity('service', 'certificates'), {
      streamLimitMs: 50,
    });
    const tls = await identity('service', 'tester');
    const client = remote('certificates', server.port, { credentials: () => tls });
    const watch = client
      .client('certificates')
      .watchRevocations({ after: 0 }, new AbortController().signal);
    let count = 0;
    for await (const _ of watch) count += 1;
    expect(count).toBeGreaterThan(0);
  });

  it('issues for nobody but the caller', async () => {
    const wish = { csr: hash, service: 'backends', dnsNames: [], ipAddresses: [] };
    await expect(
      directories.remote.client('certificates').issueService(wish),
    ).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    expect(asked).toEqual([]);
  });

  it('makes no token for nobody', async () => {
    const client = directories.remote.client('gateway');
    await expect(client.issueToken({ tenant: '', requestedBy: 'x' })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    expect(asked).toEqual([]);
  });

  it('does not go before the one in this process', async () => {
    const directory = remote('backends', 1, { credentials: () => ({ key: '', cert: '', ca: '' }) });
    directory.provide('backends', backends);
    expect(await directory.client('backends').get({ id: 'a' })).toMatchObject({ id: 'a' });
  });

  it('is UNAVAILABLE without credentials, when nobody listens, and past the deadline otherwise', async () => {
    const tls = await identity('service', 'late');
    const ask = (directory: RpcDirectory): Promise<unknown> =>
      directory.client('backends').stop({ backendId: 'b', computationId: 'c' });
    const none = remote('backends', servers[1]?.port, {
      credentials: () => {
        throw new Error('no certificate yet');
      },
    });
    const neutral = { reason: 'unavailable', message: 'backends is not available' };
    await expect(ask(none)).rejects.toMatchObject({ code: status.UNAVAILABLE, ...neutral });
    const nobody = remote('backends', 1, { credentials: () => tls });
    await expect(ask(nobody)).rejects.toMatchObject({ code: status.UNAVAILABLE, ...neutral });
    const hurried = remote('backends', servers[1]?.port, { credentials: () => tls, deadlineMs: 0 });
    await expect(ask(hurried)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it('is found at whichever of its addresses answers, and at the others when that one goes', async () => {
    const tls = await identity('service', 'tester');
    const own = await identity('service', 'backends');
    const [one, two] = [await serverOf('backends', own), await serverOf('backends', own)];
    const directory = new RpcDirectory();
    opened.push(directory);
    const address = `127.0.0.1:1,127.0.0.1:${one.port},localhost:${two.port},nowhere.invalid:1`;
    directory.connect('backends', { address, credentials: () => tls });
    const client = directory.client('backends');
    const ask = (): Promise<unknown> => client.get({ id: 'a' });
    await Promise.all(Array.from({ length: 8 }, ask));
    await one.close();
    await Promise.all(Array.from({ length: 8 }, ask));
    await two.close();
    await expect(ask()).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('is dialled anew when the credentials change', async () => {
    let tls = await identity('service', 'tester', 'revoked');
    const client = remote('backends', servers[1]?.port, { credentials: () => tls }).client(
      'backends',
    );
    await expect(client.get({ id: 'a' })).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    tls = await identity('service', 'tester');
    expect(await client.get({ id: 'a' })).toMatchObject({ id: 'a' });
  });
});

describe('the door of a service', () => {
  it.each([
    ['of a backend', 'backend', 'valid', status.PERMISSION_DENIED, 'forbidden'],
    ['that is revoked', 'service', 'revoked', status.UNAUTHENTICATED, 'unauthenticated'],
    ['that has expired', 'service', 'expired', status.UNAUTHENTICATED, 'unauthenticated'],
  ] as const)('refuses a certificate %s', async (_, type, standing, code, reason) => {
    const tls = await identity(type, 'caller', standing);
    const client = remote('backends', servers[1]?.port, { credentials: () => tls });
    await expect(client.client('backends').get({ id: 'a' })).rejects.toMatchObject({
      code,
      reason,
    });
    expect(asked).toEqual([]);
  });

  it('refuses one that our CA signed and nobody knows, and one of another CA', async () => {
    const uris = ['spiffe://test/tenant/t/service/tester'];
    const unknown = { ...(await root.issue('x', { uris })), ca: root.pem };
    const stranger = await (await TestCa.create('Other')).issue('x', { uris });
    const ask = (tls: TlsCredentials): Promise<unknown> =>
      remote('backends', servers[1]?.port, { credentials: () => tls })
        .client('backends')
        .stop({ backendId: 'b', computationId: 'c' });
    await expect(ask(unknown)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(ask({ ...stranger, ca: root.pem })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    expect(asked).toEqual([]);
  });

  it.each([
    ['another service', 'service', 'certificates'],
    ['a backend of that name', 'backend', 'backends'],
  ])('is not taken for that of %s', async (_, type, id) => {
    const server = await serverOf('backends', await identity(type, id));
    const tls = await identity('service', 'tester');
    const directory = remote('backends', server.port, { credentials: () => tls });
    await expect(
      directory.client('backends').stop({ backendId: 'b', computationId: 'c' }),
    ).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(asked).toEqual([]);
  });
});
