import { Metrics } from '@glacis/observability';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const root = /^\/certs(?:[/?]|$)/;

/** Counts and times every request to our routes, refusals before a handler included. */
@Injectable()
export class ApiMetrics implements OnModuleInit {
  private readonly requests;
  private readonly seconds;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.requests = metrics.counter({
      name: 'certs_api_request_count',
      help: 'Requests to the certificates API.',
      labels: ['method', 'status'] as const,
    });
    this.seconds = metrics.histogram({
      name: 'certs_api_request_latency_seconds',
      help: 'From the headers of a request to its reply.',
      labels: ['method'] as const,
    });
  }

  onModuleInit(): void {
    const instance = this.host.httpAdapter.getInstance<FastifyInstance>();
    instance.addHook('onResponse', (request, reply, done) => {
      if (root.test(request.url)) this.count(request, reply);
      done();
    });
  }

  private count({ method }: FastifyRequest, reply: FastifyReply): void {
    this.requests.inc({ method, status: String(reply.statusCode) });
    this.seconds.observe({ method }, reply.elapsedTime / 1000);
  }
}
