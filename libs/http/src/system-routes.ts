import type { Health, Metrics } from '@glacis/observability';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { openApiDocument, type OpenApiOptions } from './openapi.js';
import type { OperationConfig } from './operation.js';
import { asIs } from './problem-reply.js';

/** What `/health` tells of the program. */
export interface About {
  version: string;
  commit: string;
  /** As `backends service`. */
  description: string;
  /** RFC 3339. */
  buildTime: string;
  instanceId: string;
}

export interface SystemRoutes {
  about: About;
  health: Health;
  metrics: Metrics;
}

const open = (summary: string): { config: OperationConfig } => ({
  config: { operation: { access: 'public', summary, ownLimit: true } },
});

function sendJson(reply: FastifyReply, type: string, body: unknown): FastifyReply {
  return reply
    .header('content-type', type)
    .header('cache-control', 'no-store')
    .serializer(asIs)
    .send(`${JSON.stringify(body)}\n`);
}

/** Health (`platform.md` 7, `backends.md` 2.2) and metrics, which every program serves. */
export function addSystemRoutes(instance: FastifyInstance, routes: SystemRoutes): void {
  const { about, health, metrics } = routes;
  instance.get('/health', open('What is running'), (_request, reply) =>
    sendJson(reply, 'application/health+json', {
      status: 'pass',
      version: about.version,
      commit: about.commit,
      description: about.description,
      build_time: about.buildTime,
      instance_id: about.instanceId,
    }),
  );
  // The second names are those of Kubernetes' own programs (`graph-apps.md` 6.1).
  for (const path of ['/health/live', '/healthz']) {
    instance.get(path, open('The process answers'), (_request, reply) =>
      sendJson(reply, 'application/json', health.live()),
    );
  }
  for (const path of ['/health/ready', '/readyz']) {
    instance.get(path, open('Every dependency answers'), async (_request, reply) => {
      const report = await health.ready();
      return sendJson(reply.code(report.status === 'ok' ? 200 : 503), 'application/json', report);
    });
  }
  instance.get('/metrics', open('Prometheus metrics'), async (_request, reply) =>
    reply
      .header('content-type', metrics.registry.contentType)
      .serializer(asIs)
      .send(await metrics.text()),
  );
}

/** `/openapi.json` of the application, made at the first request for it; to be added before it listens. */
export function addDocumentRoute(app: NestFastifyApplication, options: OpenApiOptions): void {
  let text: Promise<string> | undefined;
  const instance = app.getHttpAdapter().getInstance();
  instance.get('/openapi.json', open('Every route, as OpenAPI'), async (_request, reply) => {
    text ??= openApiDocument(app, options).then((document) => `${JSON.stringify(document)}\n`);
    return reply
      .header('content-type', 'application/json')
      .serializer(asIs)
      .send(await text);
  });
}
