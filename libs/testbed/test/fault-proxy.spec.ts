import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { waitFor } from '@glacis/runtime';
import { faultProxy, type FaultProxy } from '../src/cluster/fault-proxy.js';

describe('fault proxy', () => {
  let echo: Server;
  let proxy: FaultProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await faultProxy({ port: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    echo.close();
  });

  /** Sends, and gathers what has come back. */
  const client = (): { say: (text: string) => void; heard: () => string; socket: Socket } => {
    let heard = '';
    const socket = connect({ host: '127.0.0.1', port: proxy.port });
    clients.push(socket);
    socket.on('error', () => undefined).on('data', (data: Buffer) => (heard += data.toString()));
    return { say: (text) => void socket.write(text), heard: () => heard, socket };
  };

  it('holds back what is sent while it is cut, old connections and new', async () => {
    const old = client();
    old.say('a');
    await waitFor(() => old.heard() === 'a');
    proxy.cut();
    old.say('b');
    const young = client();
    await once(young.socket, 'connect');
    young.say('c');
    expect([old.heard(), young.heard()]).toEqual(['a', '']);
    proxy.heal();
    await waitFor(() => old.heard() === 'ab' && young.heard() === 'c');
  });

  it('silences the connections that there are, and takes new ones', async () => {
    const old = client();
    old.say('a');
    await waitFor(() => old.heard() === 'a');
    proxy.silence();
    old.say('b');
    const young = client();
    young.say('c');
    await waitFor(() => young.heard() === 'c');
    expect(old.heard()).toBe('a');
    expect(old.socket.destroyed).toBe(false);
  });

  it('resets connections, and takes new ones', async () => {
    const old = client();
    old.say('a');
    await waitFor(() => old.heard() === 'a');
    proxy.reset();
    await waitFor(() => old.socket.destroyed);
    const young = client();
    young.say('c');
    await waitFor(() => young.heard() === 'c');
  });
});
