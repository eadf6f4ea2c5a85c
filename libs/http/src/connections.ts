import { ServerResponse, type IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Milliseconds that requests under way have after the server stopped accepting; the rest is cut. */
const drainMs = 8000;

/** Bounds how many connections are open, and ends them so that nobody who keeps one is surprised. */
export class Connections {
  private leaving = false;

  /** For the server: answers that say `Connection: close` from the beginning of the shutdown on. */
  readonly Response: typeof ServerResponse;

  /** @param options `delayMs` from the signal to stop to the end of listening, for proxies to go elsewhere */
  constructor(private readonly options: { maxConnections: number; delayMs: number }) {
    const isLeaving = (): boolean => this.leaving;
    this.Response = class<Request extends IncomingMessage> extends ServerResponse<Request> {
      override writeHead(...head: unknown[]): this {
        if (isLeaving()) this.shouldKeepAlive = false;
        return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>));
      }
    };
  }

  bound(instance: FastifyInstance): void {
    const { maxConnections, delayMs } = this.options;
    const server = instance.server;
    server.maxConnections = maxConnections;
    let cut: NodeJS.Timeout | undefined;
    instance.addHook('preClose', (done) => {
      this.leaving = true;
      cut = setTimeout(() => server.closeAllConnections(), delayMs + drainMs);
      if (delayMs === 0) done();
      else setTimeout(done, delayMs);
    });
    instance.addHook('onClose', (_instance, done) => {
      clearTimeout(cut);
      done();
    });
  }
}
