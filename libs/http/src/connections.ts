import type { FastifyInstance } from 'fastify';

/** Milliseconds that requests under way have after the server stopped accepting; the rest is cut. */
const drainMs = 8000;

/** Bounds how many connections are open, and how long they hold up the shutdown. */
export function boundConnections(instance: FastifyInstance, maxConnections: number): void {
  const server = instance.server;
  server.maxConnections = maxConnections;
  let cut: NodeJS.Timeout | undefined;
  instance.addHook('preClose', (done) => {
    cut = setTimeout(() => server.closeAllConnections(), drainMs);
    done();
  });
  instance.addHook('onClose', (_instance, done) => {
    clearTimeout(cut);
    done();
  });
}
