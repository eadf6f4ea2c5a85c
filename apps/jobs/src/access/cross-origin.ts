import { contractRoutes } from '@glacis/contracts';
import type { OperationConfig } from '@glacis/http';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS, type JobsSettings } from '../settings.js';

const preflight: OperationConfig = {
  operation: { access: 'public', summary: 'Which pages may call', head: false },
};
const paths = [...contractRoutes, '/jobs'] as const;

/** Lets pages of the origins that are set call the service, and no others (`jobs.md` 12, Fetch 3.3). */
@Injectable()
export class CrossOrigin implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  onModuleInit(): void {
    if (this.settings.corsOrigins.length === 0) return;
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRequest', (request, reply, done) => {
      if (isOurs(request)) this.allow(request, reply);
      done();
    });
    for (const path of [...paths, '/jobs/*'])
      server.options(path, { config: preflight }, (request, reply) =>
        reply
          .code(204)
          .header('access-control-allow-methods', 'GET, POST, DELETE')
          .header(
            'access-control-allow-headers',
            request.headers['access-control-request-headers'] ?? '',
          )
          .header('access-control-max-age', '600')
          .send(),
      );
  }

  private allow({ headers }: FastifyRequest, reply: FastifyReply): void {
    reply.header('vary', 'Origin');
    if (headers.origin === undefined || !this.settings.corsOrigins.includes(headers.origin)) return;
    reply
      .header('access-control-allow-origin', headers.origin)
      .header('access-control-expose-headers', 'Link, X-Request-Id');
  }
}

function isOurs({ raw: { url = '' } }: FastifyRequest): boolean {
  return paths.some((path) => new RegExp(`^${path}(?:[/?]|$)`).test(url));
}
