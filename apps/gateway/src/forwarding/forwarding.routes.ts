import { checkedRoutes, contractErrors } from '@glacis/contracts';
import {
  defineErrorForm,
  leaveBodies,
  plainErrors,
  snakeCaseCodes,
  type OperationConfig,
} from '@glacis/http';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { forward } from './forward.js';
import { serviceRoutes, type ServiceRoutes } from './service-routes.js';
import type { Upstream } from './upstream.js';
import { Upstreams } from './upstreams.js';

for (const route of checkedRoutes) defineErrorForm(route, plainErrors(contractErrors));
defineErrorForm('/jobs', snakeCaseCodes);

const verbs: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * The routes of services that run apart. Whoever is let in here is checked again there; which verbs and paths there
 * are, and who may use them, is the service's own to say.
 */
@Injectable()
export class ForwardingRoutes implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(Upstreams) private readonly upstreams: Upstreams,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    for (const [service, upstream] of this.upstreams.all) {
      server.register((scope, _options, done) => {
        leaveBodies(scope);
        this.add(scope, upstream, serviceRoutes[service]);
        done();
      });
    }
  }

  private add(scope: FastifyInstance, upstream: Upstream, routes: ServiceRoutes): void {
    const { guarded, open, files = [] } = routes;
    const summary = `Passed on to ${upstream.service}`;
    for (const url of [...open, ...guarded]) {
      const access = open.includes(url) ? 'public' : 'authenticated';
      const longBody = files.includes(url);
      const operation = { access, summary, unread: true, longBody, head: false } as const;
      this.route(scope, upstream, url, { operation });
    }
  }

  private route(
    scope: FastifyInstance,
    upstream: Upstream,
    url: string,
    config: OperationConfig,
  ): void {
    const { bodyLimit, fileLimit } = this.settings;
    const limit = config.operation.longBody ? fileLimit : bodyLimit;
    // A browser asks what it may send before it sends a token (Fetch 3.3.2).
    const asked = { operation: { ...config.operation, access: 'public' } } as const;
    for (const method of verbs) {
      scope.route({
        method,
        url,
        config: method === 'OPTIONS' ? asked : config,
        bodyLimit: Number.MAX_SAFE_INTEGER,
        handler: (request, reply) => forward(upstream, request, reply, limit),
      });
    }
  }
}
