import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

const TERMINATE = '/backends/terminate/';

/** What holds for every reply of our routes, refusals before a handler included. */
@Injectable()
export class RestHooks implements OnModuleInit {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const instance = this.host.httpAdapter.getInstance<FastifyInstance>();
    instance.addHook('onSend', (request, reply, payload, done) => {
      // A link that ends a stream must act each time it is followed.
      // The route and not the path, which may be spelled in many ways; without a route it is all there is.
      const url = request.routeOptions.url ?? request.url;
      if (url.startsWith(TERMINATE)) reply.header('cache-control', 'no-store');
      done(null, payload);
    });
  }
}
