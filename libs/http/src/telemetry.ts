import type { Logger, Metrics } from '@glacis/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext } from './request-context.js';

type ResponseHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

interface RequestSeries {
  requests: { inc(): void };
  seconds: { observe(value: number): void };
}

interface Series extends RequestSeries {
  /** The same under the name of the API, for routes of one. */
  api: RequestSeries | undefined;
  requestBytes: { observe(value: number): void };
  responseBytes: { observe(value: number): void };
}

const byteBuckets = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216];
const secretParameter = /([?&][^=&]*(?:token|secret|password|key)[^=&]*=)[^&]*/gi;

/** A request target as it may be logged: values of secret parameters are masked. */
export function loggableUrl(url: string): string {
  return url.replace(secretParameter, '$1********');
}

/** Requests below one first path segment, under the names that upstream dashboards know (`backends.md` 13). */
class ApiSeries {
  private readonly requests;
  private readonly seconds;

  constructor(metrics: Metrics, api: string) {
    this.requests = metrics.counter({
      name: `${api}_api_request_count`,
      help: `Requests to the routes below /${api}.`,
      labels: ['method', 'status'] as const,
    });
    this.seconds = metrics.histogram({
      name: `${api}_api_request_latency_seconds`,
      help: `Time from headers read to reply sent, below /${api}.`,
      labels: ['method'] as const,
    });
  }

  of(method: string, status: string): RequestSeries {
    return {
      requests: this.requests.labels({ method, status }),
      seconds: this.seconds.labels({ method }),
    };
  }
}

/** Counts, times and, at debug, logs every request; ends its span. */
export class RequestTelemetry {
  private readonly requests;
  private readonly seconds;
  private readonly requestBytes;
  private readonly responseBytes;
  private readonly apis: ReadonlyMap<string, ApiSeries>;

  /** @param apis first path segments whose requests are also counted as `<segment>_api_request_count` */
  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
    apis: readonly string[],
  ) {
    this.apis = new Map(apis.map((api) => [api, new ApiSeries(metrics, api)]));
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
      const seconds = reply.elapsedTime / 1000;
      series.seconds.observe(seconds);
      series.api?.requests.inc();
      series.api?.seconds.observe(seconds);
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
      api: this.apis.get(handler.split('/')[1] ?? '')?.of(method, code),
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
