import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface FaultProxy {
  /** Listens on 127.0.0.1. */
  readonly port: number;
  /**
   * The network is cut: connections stay open and nothing goes through, new ones hang. What was sent meanwhile
   * arrives after `heal`, as TCP sends it again.
   */
  cut(): void;
  heal(): void;
  /** Connections that there are now stay open and fall silent for good; new ones are good. */
  silence(): void;
  /** Ends all connections by RST; new ones are taken as before. */
  reset(): void;
  /** Milliseconds that everything takes longer, each way. Default 0. */
  delay(ms: number): void;
  close(): Promise<void>;
}

export interface ProxyTarget {
  host?: string;
  port: number;
}

/** A TCP proxy in front of a server of this machine, whose network can fail. */
export async function faultProxy(
  target: ProxyTarget,
  options: { port?: number } = {},
): Promise<FaultProxy> {
  const line = new Line();
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket.setNoDelay(true));
    return socket.once('close', () => sockets.delete(socket));
  };
  const reset = (): void => sockets.forEach((socket) => socket.resetAndDestroy());
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void serve(track(socket), target, { line, track });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => line.cut(),
    heal: () => line.heal(),
    silence: () => line.silence(),
    reset,
    delay: (ms) => {
      line.delayMs = ms;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      line.heal();
      reset();
      await closed;
    },
  };
}

interface Wiring {
  line: Line;
  track: (socket: Socket) => Socket;
}

async function serve(client: Socket, target: ProxyTarget, { line, track }: Wiring): Promise<void> {
  client.on('error', () => undefined);
  await line.passable();
  const { host = '127.0.0.1', port } = target;
  const upstream = track(connect({ host, port, allowHalfOpen: true }));
  upstream.on('error', () => client.resetAndDestroy());
  client.on('error', () => upstream.resetAndDestroy());
  await Promise.allSettled([
    pipeline(client, line.carrier(), upstream),
    pipeline(upstream, line.carrier(), client),
  ]);
}

/** What all connections of a proxy go over. */
class Line {
  delayMs = 0;
  private gate = Promise.resolve();
  private open = (): void => undefined;
  private isCut = false;
  private silences = 0;

  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    this.gate = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  heal(): void {
    this.isCut = false;
    this.open();
  }

  silence(): void {
    this.silences += 1;
  }

  async passable(): Promise<void> {
    await this.gate;
  }

  /** One direction of one connection; the end of it needs the line as well. */
  carrier(): Transform {
    const { silences } = this;
    const pass = (done: () => void): void => {
      void this.passable().then(() => {
        if (silences !== this.silences) return;
        if (this.delayMs > 0) setTimeout(done, this.delayMs);
        else done();
      });
    };
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => pass(() => done(null, chunk)),
      flush: (done) => pass(done),
    });
  }
}
