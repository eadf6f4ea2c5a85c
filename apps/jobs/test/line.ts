import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Socket,
} from 'node:net';

/** An address of this machine that leads wherever it was told last, as a Service of Kubernetes does. */
export class Line {
  private readonly sockets = new Set<Socket>();
  private target: NetConnectOpts | undefined;
  private readonly server = createServer((socket) => this.join(socket));

  /** @param host that it listens on */
  static async open(host: string): Promise<Line> {
    const line = new Line();
    line.server.listen(0, host);
    await once(line.server, 'listening');
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that there are end. @param target undefined: nowhere */
  leadTo(target?: NetConnectOpts): void {
    this.target = target;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.server.close();
    this.leadTo();
  }

  private join(near: Socket): void {
    const far = this.target && connect(this.target);
    if (far === undefined) {
      near.destroy();
      return;
    }
    this.carry(near, far);
    this.carry(far, near);
  }

  private carry(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.on('error', () => undefined).pipe(to);
    from.once('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
