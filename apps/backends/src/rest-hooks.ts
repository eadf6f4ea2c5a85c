import { Metrics } from '@glacis/observability';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const ROOT = /^\/backends(?:[/?]|$)/;
const TERMINATE = '/backends/terminate/';

/** What holds for every reply of our routes, refusals before a handler included. */
@Injectable()
export class RestHooks implements OnModuleInit {
  private readonly requests;
  private readonly seconds;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(Metrics) metrics: Metrics,
  ) {
    const labels = ['method', 'status'] as const;
    this.requests = metrics.counter({
      name: 'backends_api_request_count',
      help: 'Requests to the backends API',
      labels,
    });
    this.seconds = metrics.histogram({
      name: 'backends_api_request_latency_seconds',
      help: 'From the headers of a request to its reply',
      labels: ['method'],
    });
  }

  onModuleInit(): void {
    const instance = this.host.httpAdapter.getInstance<FastifyInstance>();
    instance.addHook('onSend', (request, reply, payload, done) => {
      // A link that ends a stream must act each time it is followed.
      if (request.url.startsWith(TERMINATE)) reply.header('cache-control', 'no-store');
      done(null, payload);
    });
    instance.addHook('onResponse', (request, reply, done) => {
      if (ROOT.test(request.url)) this.count(request, reply);
      done();
    });
  }

  private count({ method }: FastifyRequest, reply: FastifyReply): void {
    this.requests.inc({ method, status: String(reply.statusCode) });
    this.seconds.observe({ method }, reply.elapsedTime / 1000);
  }
}
