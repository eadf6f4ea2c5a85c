import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

const TERMINATE = '/backends/terminate/';

/** What holds for every reply of a route, refusals before its handler included. */
@Injectable()
export class RestHooks implements OnModuleInit {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const instance = this.host.httpAdapter.getInstance<FastifyInstance>();
    instance.addHook('onRoute', (route) => {
      if (!route.url.startsWith(TERMINATE)) return;
      // A link that ends a stream must act each time it is followed.
      route.onSend = (_request, reply, payload, done) => {
        reply.header('cache-control', 'no-store');
        done(null, payload);
      };
    });
  }
}
