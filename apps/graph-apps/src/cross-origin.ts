import type { OperationConfig } from '@glacis/http';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { rootPath, SETTINGS, type GraphAppsSettings } from './settings.js';

const preflight: OperationConfig = {
  operation: { access: 'public', summary: 'Which pages may call', head: false },
};

/** Lets pages of the origins that are set call the routes of this service (`graph-apps.md` 6.1, Fetch 3.3). */
@Injectable()
export class CrossOrigin implements OnModuleInit {
  private readonly root: string;
  private readonly origins: ReadonlySet<string>;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(SETTINGS) settings: GraphAppsSettings,
  ) {
    this.root = rootPath(settings);
    this.origins = new Set(settings.corsOrigins);
  }

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRequest', (request, reply, done) => {
      if ((request.raw.url ?? '').startsWith(`${this.root}/`)) this.allow(request, reply);
      done();
    });
    server.options(`${this.root}/*`, { config: preflight }, (request, reply) => {
      const asked = request.headers['access-control-request-headers'];
      return reply
        .code(204)
        .header('access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE')
        .header('access-control-allow-headers', asked ?? '')
        .header('access-control-max-age', '600')
        .send();
    });
  }

  private allow(request: FastifyRequest, reply: FastifyReply): void {
    const { origin } = request.headers;
    reply.header('vary', 'Origin');
    if (origin === undefined || (this.origins.size > 0 && !this.origins.has(origin))) return;
    reply
      .header('access-control-allow-origin', origin)
      .header('access-control-allow-credentials', 'true')
      .header('access-control-expose-headers', 'ETag, Link, X-Total-Count, X-Request-Id');
  }
}
