import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import { waitFor } from '@glacis/runtime';
import { TestCa, type Pem } from '../../test/test-ca.js';
import { createGrpcServer, type GrpcServerOptions } from '../grpc-server.js';
import { ManagerClient } from '../manager/manager-client.js';
import { managerService } from '../manager/service.js';
import type { CloseCause, PeerConnection } from './connection.js';
import {
  listenMutualTls,
  type MutualTlsListener,
  type MutualTlsOptions,
  type RefusalReason,
} from './mutual-tls.js';

type Call = ServerDuplexStream<Buffer, Buffer>;

let root: TestCa;
let otherRoot: TestCa;
let serverPem: Pem;
let client: Pem;
let folder: string;
const cleanups: (() => Promise<unknown> | void)[] = [];

beforeAll(async () => {
  root = await TestCa.create();
  otherRoot = await TestCa.create('Other Root');
  serverPem = await root.issue('server', { dns: ['localhost'], ips: ['127.0.0.1', '127.0.0.2'] });
  client = await root.issue('client');
  folder = await mkdtemp(join(tmpdir(), 'glacis-tls-'));
  await writeFile(join(folder, 'ca.pem'), root.pem);
  await writeFile(join(folder, 'client.pem'), client.cert + client.key);
});

afterAll(() => rm(folder, { recursive: true }));

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Stand {
  listener: MutualTlsListener;
  calls: Call[];
  refusals: RefusalReason[];
  closes: { connection: PeerConnection; cause: CloseCause }[];
}

async function stand(
  options: Partial<MutualTlsOptions> = {},
  limits: GrpcServerOptions = {},
): Promise<Stand> {
  const calls: Call[] = [];
  const refusals: RefusalReason[] = [];
  const closes: Stand['closes'] = [];
  const server = createGrpcServer(limits);
  server.addService(managerService, {
    process: (call: Call) => {
      call.on('error', () => undefined);
      calls.push(call);
    },
  });
  const listener = await listenMutualTls({
    port: 0,
    server,
    credentials: () => ({ ...serverPem, ca: root.pem }),
    onRefused: (reason) => refusals.push(reason),
    onClose: (connection, cause) => closes.push({ connection, cause }),
    ...options,
  });
  cleanups.push(() => listener.close(0));
  return { listener, calls, refusals, closes };
}

function tlsClient(
  port: number,
  options: ConnectionOptions & { localAddress?: string } = {},
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(
      { host: '127.0.0.1', port, ca: root.pem, ...client, ALPNProtocols: ['h2'], ...options },
      () => resolve(socket),
    );
    socket.on('error', reject);
    cleanups.push(() => void socket.destroy());
  });
}

function tcpClient(port: number): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  cleanups.push(() => void socket.destroy());
  return socket;
}

function manager(port: number, host = '127.0.0.1', pem: Partial<Pem> = client): ManagerClient {
  const made = new ManagerClient({
    address: `${host}:${port}`,
    dialect: 'seed',
    tls: { ca: root.pem, ...pem },
  });
  cleanups.push(() => made.close());
  return made;
}

const closed = (socket: Socket): Promise<true> =>
  waitFor(() => (socket.closed ? (true as const) : undefined), { what: 'the socket to close' });

function endOf(peer: ManagerClient): Promise<{ code: status; details: string }> {
  return new Promise((resolve) => peer.open({ onMessage: () => undefined, onEnd: resolve }));
}

/** `openssl s_client`, with its standard input open for as long as the server keeps the connection. */
function sClient(port: number, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const base = ['s_client', '-connect', `127.0.0.1:${port}`, '-alpn', 'h2'];
    const trust = ['-CAfile', join(folder, 'ca.pem'), '-verify_return_error'];
    const child = execFile('openssl', [...base, ...trust, ...args], (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    // The server's SETTINGS begin with a zero byte, which no text of openssl has; a ticket would have come before them.
    child.stdout?.on('data', (text: string) => {
      if (text.includes('\0')) child.stdin?.end();
    });
  });
}

const withCertificate = (): string[] => [
  '-cert',
  join(folder, 'client.pem'),
  '-key',
  join(folder, 'client.pem'),
];

describe('handshake', () => {
  it('openssl connects with h2 over TLS 1.3 and its call would reach the server', async () => {
    const { listener } = await stand();
    const output = await sClient(listener.port, withCertificate());
    expect(output).toContain('Verify return code: 0 (ok)');
    expect(output).toContain('ALPN protocol: h2');
    expect(output).toContain('TLSv1.3');
  });

  it('TLS 1.2 is refused, and served by option', async () => {
    const strict = await stand();
    const refused = tlsClient(strict.listener.port, { maxVersion: 'TLSv1.2' });
    await expect(refused).rejects.toThrow('alert');
    const lenient = await stand({ minVersion: 'TLSv1.2' });
    const socket = await tlsClient(lenient.listener.port, { maxVersion: 'TLSv1.2' });
    expect(socket.getProtocol()).toBe('TLSv1.2');
  });

  it.each(['localhost', '127.0.0.1', '127.0.0.2'])('a client dials %s', async (host) => {
    const { listener, calls } = await stand({ host: '0.0.0.0' });
    const peer = manager(listener.port, host);
    await peer.connect();
    const ended = endOf(peer);
    const call = await waitFor(() => calls[0]);
    call.end();
    expect(await ended).toMatchObject({ code: status.OK });
  });

  it('backends.md 16.3: a client without certificate, of an unknown CA, or expired gets no call through', async () => {
    const { listener, calls, refusals } = await stand();
    const expired = await root.issue('expired', { notAfter: new Date(Date.now() - 1_000) });
    const early = await root.issue('early', { notBefore: new Date(Date.now() + 3_600_000) });
    const stranger = await otherRoot.issue('stranger');
    for (const pem of [{}, expired, early, stranger]) {
      const end = await endOf(manager(listener.port, '127.0.0.1', pem));
      expect(end.code).toBe(status.UNAVAILABLE);
    }
    expect(calls).toHaveLength(0);
    expect(refusals).toEqual(['handshake', 'handshake', 'handshake', 'handshake']);
    expect(listener.connections.size).toBe(0);
  });

  it('a client that offers no h2 is refused', async () => {
    const { listener, refusals } = await stand();
    await tlsClient(listener.port, { ALPNProtocols: ['http/1.1'] }).then(closed, () => undefined);
    await waitFor(() => refusals.includes('handshake'));
    expect(listener.connections.size).toBe(0);
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'backends.md 16.3: no resumption with %s',
  (version) => {
    it('of a session saved by openssl', async () => {
      const { listener } = await stand({ minVersion: version });
      const file = join(folder, `session-${version}`);
      const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
      await sClient(listener.port, [...withCertificate(), flag, '-sess_out', file]);
      const again = await sClient(listener.port, [...withCertificate(), flag, '-sess_in', file]);
      expect(again).toMatch(/^New, /m);
      expect(again).not.toMatch(/^Reused, /m);
    });

    it('of a session saved by Node: whoever lost the right to connect does not come back with it', async () => {
      let ca = root.pem;
      const { listener, refusals } = await stand({
        minVersion: version,
        credentials: () => ({ ...serverPem, ca }),
      });
      const sessions: Buffer[] = [];
      const first = await tlsClient(listener.port, { maxVersion: version });
      first.on('session', (session) => sessions.push(session));
      const saved = version === 'TLSv1.2' ? first.getSession() : undefined;
      const session = saved ?? (await waitFor(() => sessions[0]));
      const second = await tlsClient(listener.port, { maxVersion: version, session });
      expect(second.isSessionReused()).toBe(false);

      ca = otherRoot.pem;
      listener.renew();
      await tlsClient(listener.port, { maxVersion: version, session }).then(
        closed,
        () => undefined,
      );
      await waitFor(() => refusals.includes('handshake'));
      expect(listener.connections.size).toBe(2);
    });
  },
);

describe('admission', () => {
  it('is asked after the handshake; a refusal lets no byte of HTTP/2 through', async () => {
    const serials: string[] = [];
    const { listener, calls, refusals } = await stand({
      admit: (socket) => {
        serials.push(socket.getPeerCertificate().serialNumber);
        return false;
      },
    });
    const socket = await tlsClient(listener.port);
    const received: Buffer[] = [];
    socket.on('data', (data) => received.push(data));
    await closed(socket);
    expect(received).toHaveLength(0);
    expect(serials).toEqual([expect.stringMatching(/^[0-9A-F]+$/)]);
    expect([refusals, calls]).toEqual([['not_admitted'], []]);
  });

  it('that throws refuses', async () => {
    const { listener, refusals } = await stand({
      admit: () => {
        throw new Error('a certificate that no parser takes');
      },
    });
    await closed(await tlsClient(listener.port));
    expect(refusals).toEqual(['not_admitted']);
  });

  it('a handler finds its connection and the certificate', async () => {
    const { listener, calls } = await stand();
    const peer = manager(listener.port);
    void endOf(peer);
    const call = await waitFor(() => calls[0]);
    const connection = listener.connectionOf(call.getPeer());
    expect(call.getAuthContext().sslPeerCertificate?.raw).toEqual(
      connection?.socket.getPeerCertificate().raw,
    );
    expect(connection?.address).toBe('127.0.0.1');
  });
});

describe('ending one connection', () => {
  it('close() lets the status through and leaves the others alone', async () => {
    const { listener, calls, closes } = await stand();
    const ended = endOf(manager(listener.port));
    await waitFor(() => calls.length === 1);
    const other = endOf(manager(listener.port));
    await waitFor(() => calls.length === 2);
    const [call, neighbour] = calls as [Call, Call];
    const connection = listener.connectionOf(call.getPeer());
    call.emit('error', { code: status.UNAUTHENTICATED, details: 'revoked' });
    connection?.close();
    expect(await ended).toEqual({ code: status.UNAUTHENTICATED, details: 'revoked' });
    await waitFor(() => closes.length === 1);
    expect(closes[0]).toEqual({ connection, cause: 'local' });
    neighbour.end();
    expect(await other).toMatchObject({ code: status.OK });
  });

  it('a peer that leaves is told from one that answers no ping', async () => {
    const { listener, closes } = await stand(
      { silenceMs: 150 },
      { keepaliveMs: 100, keepaliveTimeoutMs: 100 },
    );
    const leaver = manager(listener.port);
    await leaver.connect();
    leaver.close();
    await waitFor(() => closes.length === 1);
    // Takes part in the handshake and then never answers: no call is open either.
    await tlsClient(listener.port);
    await waitFor(() => closes.length === 2);
    expect(closes.map(({ cause }) => cause)).toEqual(['peer', 'keepalive']);
  });

  it('an idle client that answers pings stays, and counts as active', async () => {
    const { listener, calls, closes } = await stand(
      { silenceMs: 150 },
      { keepaliveMs: 20, keepaliveTimeoutMs: 200 },
    );
    void endOf(manager(listener.port));
    const call = await waitFor(() => calls[0]);
    const connection = listener.connectionOf(call.getPeer());
    const before = connection?.lastActiveAt ?? 0;
    await waitFor(() => (connection?.lastActiveAt ?? 0) > before + 300);
    expect(closes).toHaveLength(0);
  });

  it('a listener that closes ends every connection and frees the port', async () => {
    const { listener, calls } = await stand();
    const ended = endOf(manager(listener.port));
    await waitFor(() => calls.length === 1);
    await listener.close(10);
    expect(await ended).toMatchObject({ code: status.CANCELLED });
    expect(listener.connections.size).toBe(0);
  });
});

describe('renewal', () => {
  it('serves the new certificate to new handshakes and keeps the streams', async () => {
    let pem = serverPem;
    const { listener, calls, closes } = await stand({
      credentials: () => ({ ...pem, ca: root.pem }),
    });
    void endOf(manager(listener.port));
    await waitFor(() => calls.length === 1);
    pem = await root.issue('renewed', { ips: ['127.0.0.1'] });
    listener.renew();
    const socket = await tlsClient(listener.port);
    expect(socket.getPeerCertificate().subject.CN).toBe('renewed');
    expect(closes).toHaveLength(0);
  });
});

describe('bounds', () => {
  it('backends.md 4.2: more handshakes than allowed from one address are closed at accept', async () => {
    const { listener, refusals } = await stand({ handshakeLimit: { count: 3, windowMs: 60_000 } });
    for (let i = 0; i < 3; i += 1) await tlsClient(listener.port);
    await closed(tcpClient(listener.port));
    await closed(tcpClient(listener.port));
    expect(refusals).toEqual(['source_limit', 'source_limit']);
    await tlsClient(listener.port, { localAddress: '127.0.0.3' });
    await waitFor(() => listener.connections.size === 4);
  });

  it('a handshake that does not get on is closed, and so many at once are all there is', async () => {
    const { listener, refusals } = await stand({ handshakeTimeoutMs: 300, maxPending: 2 });
    const silent = [tcpClient(listener.port), tcpClient(listener.port)];
    await waitFor(() => silent.every((socket) => !socket.connecting));
    await closed(tcpClient(listener.port));
    expect(refusals).toEqual(['pending_limit']);
    await Promise.all(silent.map(closed));
    expect(refusals).toEqual(['pending_limit', 'handshake', 'handshake']);
    await tlsClient(listener.port);
  });

  it('a client that talks no TLS, or leaves in the middle, does no harm', async () => {
    const { listener, refusals } = await stand();
    const talker = tcpClient(listener.port);
    talker.write('GET / HTTP/1.1\r\n\r\n');
    await closed(talker);
    for (let i = 0; i < 20; i += 1) {
      const leaver = tcpClient(listener.port);
      leaver.write(Buffer.from([22, 3, 1, 2, 0, 1]), () => leaver.resetAndDestroy());
    }
    await waitFor(() => refusals.length === 21);
    await tlsClient(listener.port);
  });

  it('an admitted client that sends anything but HTTP/2 is closed, and nothing else happens', async () => {
    const { listener, calls, closes } = await stand({
      handshakeLimit: { count: 1_000, windowMs: 1 },
    });
    const neighbour = endOf(manager(listener.port));
    const call = await waitFor(() => calls[0]);
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    for (let i = 0; i < 20; i += 1) {
      const socket = await tlsClient(listener.port);
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(Buffer.concat([i % 2 ? preface : Buffer.alloc(0), randomBytes(200)]));
      await closed(socket);
    }
    await waitFor(() => closes.length === 20);
    call.end();
    expect(await neighbour).toMatchObject({ code: status.OK });
  });

  it('2,000 connections meet a limit of 50 and the server goes on', async () => {
    const { listener, refusals } = await stand({
      maxConnections: 50,
      handshakeLimit: { count: 10_000, windowMs: 1_000 },
    });
    const sockets = Array.from({ length: 2_000 }, () => tcpClient(listener.port));
    await waitFor(() => refusals.length >= 1_950);
    expect(new Set(refusals)).toEqual(new Set(['connection_limit']));
    for (const socket of sockets) socket.destroy();
    await waitFor(() => tlsClient(listener.port).then(() => true));
  });

  it('a message above the limit ends the call, not the process', async () => {
    const { listener, calls } = await stand({}, { maxMessageBytes: 1_000 });
    const peer = manager(listener.port);
    const ended = new Promise<{ code: status }>((resolve) => {
      const stream = peer.open({ onMessage: () => undefined, onEnd: resolve });
      const message = 'x'.repeat(2_000);
      const value = { message, computationId: '', level: '', timestamp: undefined };
      void stream.send({ kind: 'agentLog', value });
    });
    const call = await waitFor(() => calls[0]);
    call.on('data', () => undefined);
    expect((await ended).code).toBe(status.RESOURCE_EXHAUSTED);
  });
});
