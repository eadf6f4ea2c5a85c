import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Metrics } from '@glacis/observability';

export interface HttpOptions {
  port: number;
  instanceId: string;
  version: string;
  metrics: Metrics;
  /** A stream to the server is open. */
  connected: () => boolean;
}

/** Health and metrics, on every address of the host since probes come from outside. Resolves when it listens. */
export function listenHttp(options: HttpOptions): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (request.method !== 'GET' && request.method !== 'HEAD')
      reply(response, 405, 'method not allowed');
    else answer(path, options, response).catch(() => reply(response, 500, 'internal error'));
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 100;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, () => resolve(server));
  });
}

async function answer(path: string, options: HttpOptions, response: ServerResponse): Promise<void> {
  switch (path) {
    case '/health':
      return reply(response, 200, healthDocument(options), 'application/health+json');
    case '/livez':
      return reply(response, 200, 'ok');
    case '/readyz':
      return options.connected()
        ? reply(response, 200, 'ok')
        : reply(response, 503, 'no stream to the server is open');
    case '/metrics':
      return reply(
        response,
        200,
        await options.metrics.text(),
        options.metrics.registry.contentType,
      );
    default:
      return reply(response, 404, 'not found');
  }
}

function healthDocument({ version, instanceId }: HttpOptions): string {
  const description = 'manager service';
  return JSON.stringify({ status: 'pass', version, description, instance_id: instanceId });
}

function reply(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  const text = body.endsWith('\n') ? body : `${body}\n`;
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
