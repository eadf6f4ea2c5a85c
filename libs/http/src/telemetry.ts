import type { Logger, Metrics } from '@glacis/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext } from './request-context.js';

type ResponseHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

interface Series {
  requests: { inc(): void };
  seconds: { observe(value: number): void };
  requestBytes: { observe(value: number): void };
  responseBytes: { observe(value: number): void };
}

const byteBuckets = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216];
const secretParameter = /([?&][^=&]*(?:token|secret|password|key)[^=&]*=)[^&]*/gi;

/** A request target as it may be logged: values of secret parameters are masked. */
export function loggableUrl(url: string): string {
  return url.replace(secretParameter, '$1********');
}

/** Counts, times and, at debug, logs every request; ends its span. */
export class RequestTelemetry {
  private readonly requests;
  private readonly seconds;
  private readonly requestBytes;
  private readonly responseBytes;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
  ) {
    const labels = ['code', 'method', 'handler'] as const;
    this.requests = metrics.counter({
      name: 'requests_total',
      help: 'Requests answered.',
      labels,
    });
    this.seconds = metrics.histogram({
      name: 'request_duration_seconds',
      help: 'Time from headers read to reply sent.',
      labels,
    });
    this.requestBytes = metrics.histogram({
      name: 'request_size_bytes',
      help: 'Length of request bodies, where there is one of known length.',
      labels,
      buckets: byteBuckets,
    });
    this.responseBytes = metrics.histogram({
      name: 'response_size_bytes',
      help: 'Length of reply bodies.',
      labels,
      buckets: byteBuckets,
    });
  }

  /** The hook of one route. Its series are looked up once per status, not per request. */
  hook(method: string, handler: string): ResponseHook {
    const byStatus: Series[] = [];
    return (request, reply, done) => {
      const code = reply.statusCode;
      const series = (byStatus[code] ??= this.series(String(code), method, handler));
      series.requests.inc();
      series.seconds.observe(reply.elapsedTime / 1000);
      const length = request.raw.headers['content-length'];
      if (length !== undefined) series.requestBytes.observe(Number(length));
      series.responseBytes.observe(Number(reply.getHeader('content-length') ?? 0));
      this.finish(request, reply, code);
      done();
    };
  }

  private series(code: string, method: string, handler: string): Series {
    const labels = { code, method, handler };
    return {
      requests: this.requests.labels(labels),
      seconds: this.seconds.labels(labels),
      requestBytes: this.requestBytes.labels(labels),
      responseBytes: this.responseBytes.labels(labels),
    };
  }

  private finish(request: FastifyRequest, reply: FastifyReply, code: number): void {
    const { context } = request;
    context?.span?.end(code >= 500 ? code : undefined, { 'http.response.status_code': code });
    if (this.logger.isLevelEnabled('debug')) this.log(request, reply, context);
  }

  private log(request: FastifyRequest, reply: FastifyReply, context: RequestContext | null): void {
    this.logger.debug(
      {
        method: request.method,
        url: loggableUrl(request.raw.url ?? ''),
        status: reply.statusCode,
        ms: reply.elapsedTime,
        request_id: context?.requestId,
        subject: context?.principal?.subject,
        address: context?.address,
      },
      'request',
    );
  }
}
