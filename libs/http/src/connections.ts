import type { FastifyInstance } from 'fastify';

/** Milliseconds that requests under way have after the server stopped accepting; the rest is cut. */
const drainMs = 8000;

/**
 * Bounds how many connections are open, and how long they hold up the shutdown.
 * @param delayMs from the signal to the end of listening; every answer says `Connection: close` meanwhile, so that
 *   whoever keeps connections goes elsewhere before they are closed
 */
export function boundConnections(
  instance: FastifyInstance,
  { maxConnections, delayMs }: { maxConnections: number; delayMs: number },
): void {
  const server = instance.server;
  server.maxConnections = maxConnections;
  let cut: NodeJS.Timeout | undefined;
  instance.addHook('preClose', (done) => {
    cut = setTimeout(() => server.closeAllConnections(), delayMs + drainMs);
    if (delayMs === 0) done();
    else setTimeout(done, delayMs);
  });
  instance.addHook('onClose', (_instance, done) => {
    clearTimeout(cut);
    done();
  });
}
