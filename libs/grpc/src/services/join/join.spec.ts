import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import type { CertificatesRpc, IssueServiceRequest } from '@glacis/contracts';
import * as fc from 'fast-check';
import { TestCa } from '../../../test/test-ca.js';
import {
  IssuedService,
  IssueServiceRequest as RequestMessage,
  JoinReply,
  JoinRequest,
} from '../../generated/certs/v1/certificates.js';
import { RpcDirectory } from '../../rpc-directory.js';
import type { TlsCredentials } from '../../tls/mutual-tls.js';
import { certificatesWire, issuedMessage } from '../certificates-wire.js';
import { RpcServer, served } from '../rpc-server.js';
import { connectUnverified, unaryOver } from './http2-unary.js';
import { joinPath } from './join-client.js';
import { channelBinding, replyProof, requestProof } from './join-proof.js';
import { notProved } from './join-server.js';
import { parseJoinToken } from './join-token.js';

const token = randomBytes(32);
const issued = { chainPem: 'leaf\n', caPem: 'root\n', notAfter: new Date('2027-01-01T00:00:00Z') };
const wish: IssueServiceRequest = {
  csr: randomBytes(100),
  service: 'backends',
  dnsNames: ['b.example'],
  ipAddresses: [],
};

const admitted: (IssueServiceRequest | null)[] = [];
const ended: (() => void)[] = [];
let tls: TlsCredentials;
let stranger: TlsCredentials;
let server: RpcServer;

const unused = (): never => {
  throw new Error('not asked for in this test');
};

beforeAll(async () => {
  const [ours, other] = [await TestCa.create(), await TestCa.create('Other')];
  const names = {
    dns: ['localhost'],
    ips: ['127.0.0.1'],
    uris: ['spiffe://t/tenant/t/service/certificates'],
  };
  tls = { ...(await ours.issue('certificates', names)), ca: ours.pem };
  stranger = { ...(await other.issue('certificates', names)), ca: other.pem };
  const certificates = new Proxy({}, { get: () => unused }) as CertificatesRpc;
  server = new RpcServer({
    service: 'certificates',
    host: '127.0.0.1',
    port: 0,
    credentials: () => tls,
    resolve: unused,
    methods: served(certificatesWire, certificates),
    join: {
      token,
      admit: async (request) => {
        admitted.push(request);
        if (request === null) throw notProved();
        return issued;
      },
    },
    onFailure: unused,
  });
  await server.open();
});
beforeEach(() => (admitted.length = 0));
afterEach(() => ended.splice(0).forEach((end) => end()));
afterAll(() => server.close());

/** A service without a certificate that knows these addresses and that token. */
function joining(address: string, joinToken = token, credentials = none): CertificatesRpc {
  const directory = new RpcDirectory();
  directory.connect('certificates', { address, joinToken, credentials, deadlineMs: 10_000 });
  ended.push(() => directory.close());
  return directory.client('certificates');
}

const none = (): TlsCredentials => {
  throw new Error('no certificate yet');
};

const at = (port: number | undefined): string => `127.0.0.1:${port}`;
const here = (): { host: string; port: number } => ({ host: '127.0.0.1', port: server.port ?? 0 });

async function listening(other: Server): Promise<number> {
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  ended.push(() => other.close());
  return (other.address() as AddressInfo).port;
}

async function open(): Promise<TLSSocket> {
  const socket = await connectUnverified(here(), AbortSignal.timeout(10_000));
  ended.push(() => socket.destroy());
  return socket;
}

function joinRequest(socket: TLSSocket): Buffer {
  const request = Buffer.from(RequestMessage.encode(wish).finish());
  const proof = requestProof({ token, binding: channelBinding(socket) }, request);
  return Buffer.from(JoinRequest.encode({ request, proof }).finish());
}

describe('a service without a certificate', () => {
  it('gets one by the join token, at the first of the addresses that answers', async () => {
    expect(await joining(`127.0.0.1:1,${at(server.port)}`).issueService(wish)).toEqual(issued);
    expect(admitted).toEqual([wish]);
  });

  it('gets none with another token', async () => {
    const refused = joining(at(server.port), randomBytes(32)).issueService(wish);
    await expect(refused).rejects.toMatchObject({
      name: 'RpcError',
      code: status.UNAUTHENTICATED,
      message: 'the join token is not proved',
    });
    expect(admitted).toEqual([null]);
  });

  it('may call nothing else', async () => {
    const socket = await open();
    const resolve = unaryOver(socket, certificatesWire.resolve.path, Buffer.alloc(0));
    await expect(resolve).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const watch = await open();
    const stream = unaryOver(watch, certificatesWire.watchRevocations.path, Buffer.alloc(0));
    await expect(stream).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });

  it('is UNAVAILABLE where nobody listens, and INVALID_ARGUMENT with nonsense', async () => {
    await expect(joining('127.0.0.1:1').issueService(wish)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'unavailable',
    });
    const socket = await open();
    await expect(unaryOver(socket, joinPath, Buffer.of(0xff))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    expect(admitted).toEqual([]);
  });
});

describe('nobody else joins', () => {
  it('who plays a request back on a connection of his own', async () => {
    const first = await open();
    const request = joinRequest(first);
    await unaryOver(first, joinPath, request);
    const second = await open();
    await expect(unaryOver(second, joinPath, request)).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    expect(admitted).toEqual([wish, null]);
  });

  it('who stands in between and passes on what he hears', async () => {
    const heard: Buffer[] = [];
    const between = createServer({ ...stranger, ALPNProtocols: ['h2'] }, (client) => {
      const target = connect({ ...here(), ALPNProtocols: ['h2'], rejectUnauthorized: false });
      client.on('data', (bytes: Buffer) => heard.push(bytes));
      client.pipe(target).pipe(client);
      for (const socket of [client, target]) socket.on('error', () => undefined);
      ended.push(() => [client, target].forEach((socket) => socket.destroy()));
    });
    const port = await listening(between);
    await expect(joining(at(port)).issueService(wish)).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    expect(admitted).toEqual([null]);
    const bytes = Buffer.concat(heard);
    expect(bytes.length).toBeGreaterThan(wish.csr.length);
    for (const form of [token, token.toString('hex'), token.toString('base64')]) {
      expect(bytes.includes(form)).toBe(false);
    }
  });

  it('who has a certificate of another CA does not get past the handshake', async () => {
    const client = joining(at(server.port), token, () => ({ ...stranger, ca: tls.ca }));
    await expect(client.resolve({ serialNumber: '1' })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });
});

describe('no foreign CA is taken for ours', () => {
  const impostor = async (proof: (socket: TLSSocket, asked: Buffer) => Buffer): Promise<number> => {
    const { createSecureServer } = await import('node:http2');
    const fake = createSecureServer({ ...stranger });
    fake.on('stream', (stream) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const asked = JoinRequest.decode(Buffer.concat(chunks).subarray(5)).proof;
        const message = Buffer.from(IssuedService.encode(issuedMessage(issued)).finish());
        const socket = stream.session?.socket as TLSSocket;
        const reply = JoinReply.encode({ issued: message, proof: proof(socket, asked) }).finish();
        const prefix = Buffer.alloc(5);
        prefix.writeUInt32BE(reply.length, 1);
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc' },
          { waitForTrailers: true },
        );
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.concat([prefix, reply]));
      });
    });
    fake.listen(0, '127.0.0.1');
    await once(fake, 'listening');
    ended.push(() => fake.close());
    return (fake.address() as AddressInfo).port;
  };

  it.each([
    ['that proves nothing', () => Buffer.alloc(32)],
    ['that gives the proof of the request back', (_: TLSSocket, asked: Buffer) => asked],
    [
      'that holds another token',
      (socket: TLSSocket, asked: Buffer) =>
        replyProof(
          { token: randomBytes(32), binding: Buffer.alloc(32) },
          asked,
          Buffer.of(socket.remotePort ? 1 : 0),
        ),
    ],
  ])('from a server %s', async (_, proof) => {
    await expect(joining(at(await impostor(proof))).issueService(wish)).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      message: 'the server does not prove that it holds the join token',
    });
  });
});

it('a proof holds for one token, one connection, one direction and one message only', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((each) => Buffer.from(each));
  const fixed = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((each) => Buffer.from(each));
  fc.assert(
    fc.property(fixed, fixed, fixed, bytes, bytes, (one, two, binding, message, other) => {
      fc.pre(!one.equals(two) && !message.equals(other));
      const proof = requestProof({ token: one, binding }, message);
      expect(requestProof({ token: one, binding }, message)).toEqual(proof);
      for (const wrong of [
        requestProof({ token: two, binding }, message),
        requestProof({ token: one, binding: two }, message),
        requestProof({ token: one, binding }, other),
        replyProof({ token: one, binding }, binding, message),
        replyProof({ token: one, binding }, proof, message),
      ]) {
        if (!binding.equals(two)) expect(wrong).not.toEqual(proof);
      }
    }),
  );
});

it('a join token is 32 bytes or more, in hex or base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const secret = Buffer.from(bytes);
      const expected = bytes.length >= 32 ? secret : undefined;
      expect(parseJoinToken(secret.toString('hex'))).toEqual(expected);
      // Base64 of so many bytes that has hex digits alone is not met by chance.
      expect(parseJoinToken(secret.toString('base64'))).toEqual(expected);
    }),
  );
  for (const wrong of ['', 'short', 'not base64!'.repeat(9)]) {
    expect(parseJoinToken(wrong)).toBeUndefined();
  }
});
