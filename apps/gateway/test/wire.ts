import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';

/** A service behind the door, on a socket of its own. */
export interface Service {
  url: string;
  /** `METHOD target` of all that reached it. */
  seen: string[];
  close(): Promise<void>;
}

/** Answers with a handler that a test may change at any time. */
export class HttpService implements Service {
  readonly seen: string[] = [];
  handle: RequestListener;
  private constructor(
    readonly server: Server,
    readonly url: string,
  ) {
    this.handle = (_request, response) => response.end('hello');
    server.on('request', (request, response) => {
      this.seen.push(`${request.method} ${request.url}`);
      this.handle(request, response);
    });
  }

  static async start(port = 0): Promise<HttpService> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { port: taken } = server.address() as AddressInfo;
    return new HttpService(server, `http://127.0.0.1:${taken}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Writes the given bytes as soon as something comes in, whatever that is. */
export async function rawService(
  answer: (socket: Socket) => void,
): Promise<{ url: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

/** An address where nobody listens. */
export async function deadUrl(): Promise<string> {
  const { url, close } = await rawService(() => undefined);
  await close();
  return url;
}

/** Sends bytes as they are and gives all that comes back until the other side ends, or `enough` says so. */
export async function exchangeBytes(
  url: string,
  bytes: string,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
  socket.write(Buffer.from(bytes, 'latin1'));
  let text = '';
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1');
    if (enough(text)) break;
  }
  socket.destroy();
  return text;
}
