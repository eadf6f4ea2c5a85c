import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, status, type ServerDuplexStream } from '@grpc/grpc-js';
import { waitFor } from '@glacis/runtime';
import { decodeClientMessage, dialects } from './dialects.js';
import { ManagerClient, type ManagerStream } from './manager-client.js';
import { dialectNames, UnsupportedMessageError, type ServerMessage } from './messages.js';
import { managerService } from './service.js';

type Call = ServerDuplexStream<Buffer, Buffer>;

const server = new Server();
const calls: Call[] = [];
let address: string;

beforeAll(async () => {
  server.addService(managerService, { process: (call: Call) => void calls.push(call) });
  address = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(`127.0.0.1:${port}`),
    );
  });
});

afterAll(() => server.forceShutdown());

interface End {
  code: status;
  details: string;
}

interface Session {
  call: Call;
  stream: ManagerStream;
  received: ServerMessage[];
  end: Promise<End>;
  opened: () => boolean;
}

async function session(
  options: Partial<ConstructorParameters<typeof ManagerClient>[0]> = {},
): Promise<Session> {
  calls.length = 0;
  const client = new ManagerClient({ address, dialect: 'v0.3', ...options });
  const received: ServerMessage[] = [];
  const ends: End[] = [];
  let opened = false;
  const stream = client.open({
    onOpen: () => (opened = true),
    onMessage: (message) => received.push(message),
    onEnd: (end) => ends.push(end),
  });
  const end = waitFor(() => ends[0], { what: 'the end of the stream' });
  void end.then(() => client.close());
  const call = await waitFor(() => calls[0]);
  return { call, stream, received, end, opened: () => opened };
}

describe('ManagerClient', () => {
  it.each(dialectNames)('speaks %s in both directions', async (dialect) => {
    const { call, stream, received, end } = await session({ dialect });
    const value = { agentPort: '6100', computationId: 'c1' };
    const got: unknown[] = [];
    call.on('data', (bytes: Buffer) => got.push(decodeClientMessage(bytes)));
    await stream.send({ kind: 'runResponse', value });
    await waitFor(() => got.length === 1);
    expect(got).toEqual([{ kind: 'runResponse', value }]);
    call.write(dialects[dialect].encodeServer({ kind: 'terminate', value: { message: 'bye' } }));
    call.end();
    expect(await end).toMatchObject({ code: status.OK });
    expect(received).toEqual([{ kind: 'terminate', value: { message: 'bye' } }]);
  });

  it('tells when the server has admitted it, and sends metadata and user agent', async () => {
    const { call, end, opened } = await session({
      metadata: { 'glacis-protocol': 'v0.3' },
      userAgent: 'grpc-go/1.60.1',
    });
    expect(call.metadata.get('glacis-protocol')).toEqual(['v0.3']);
    expect(call.metadata.get('user-agent')[0]).toMatch(/^grpc-go\/1\.60\.1 /);
    expect(opened()).toBe(false);
    call.sendMetadata(call.metadata.clone());
    await waitFor(opened);
    call.end();
    await end;
  });

  it('an undecodable message ends the stream, a foreign kind does not', async () => {
    const { call, end, received } = await session();
    call.write(Buffer.from('7a00', 'hex'));
    call.write(dialects['v0.3'].encodeServer({ kind: 'stop', value: { computationId: 'c' } }));
    call.write(Buffer.from('0aff', 'hex'));
    expect(await end).toEqual({ code: status.INTERNAL, details: 'undecodable message' });
    expect(received).toHaveLength(1);
  });

  it('sending after the end is dropped and does not hang; sending what the dialect lacks throws', async () => {
    const { call, stream, end } = await session({ dialect: 'seed' });
    const pending = stream.send({
      kind: 'agentLog',
      value: { message: 'x'.repeat(1_000_000), computationId: '', level: '', timestamp: undefined },
    });
    call.emit('error', { code: status.ABORTED, details: 'gone' });
    expect(await end).toMatchObject({ code: status.ABORTED });
    await pending;
    await stream.send({ kind: 'runResponse', value: { agentPort: '', computationId: '' } });
    expect(() =>
      stream.send({ kind: 'stopResponse', value: { computationId: 'c', message: '' } }),
    ).toThrow(UnsupportedMessageError);
  });

  it('a server that is not there: the connection is given up at the timeout, the stream ends UNAVAILABLE', async () => {
    const { port } = await new Promise<AddressInfo>((resolve) => {
      const probe = new Server();
      probe.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => {
        probe.forceShutdown();
        resolve({ port: bound, address: '', family: '' });
      });
    });
    const client = new ManagerClient({
      address: `127.0.0.1:${port}`,
      dialect: 'seed',
      connectTimeoutMs: 100,
    });
    await expect(client.connect()).rejects.toThrow('Failed to connect before the deadline');
    const end = await new Promise<{ code: status }>((resolve) =>
      client.open({ onMessage: () => undefined, onEnd: resolve }),
    );
    expect(end.code).toBe(status.UNAVAILABLE);
    client.close();
  });
});
