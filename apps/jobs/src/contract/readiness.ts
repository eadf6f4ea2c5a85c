import { checkedRoutes } from '@glacis/contracts';
import { Store } from '@glacis/store';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/**
 * Check 1 of `jobs.md` 2.1: without a database each request that is checked so is refused before anything else is looked
 * at, so that what is wrong with it is told by a service that is ready.
 */
@Injectable()
export class Readiness implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(Store) private readonly store: Store,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    const routes = new Set<string>(checkedRoutes);
    // Hooks of the server run before those of a route, where callers are limited.
    server.addHook('onRequest', ({ method, raw: { url = '' } }, _reply, done) => {
      const [path = ''] = url.split('?', 1);
      if (method === 'OPTIONS' || !routes.has(path)) return done();
      this.store.ping().then(() => done(), done);
    });
  }
}
