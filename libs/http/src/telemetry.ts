import type { Histogram, Logger, Metrics } from '@glacis/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathOf } from './path.js';
import type { RequestContext } from './request-context.js';

type ResponseHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/** What is kept of one route, verb and status. */
interface Series {
  labels: { code: string; method: string; handler: string };
  /** Requests so far; the counters read it when they are scraped. */
  count: number;
  seconds: { observe(value: number): void };
  /** The same under the name of the API, for routes of one. */
  apiSeconds: { observe(value: number): void } | undefined;
  requestBytes: { observe(value: number): void };
  responseBytes: { observe(value: number): void };
}

const apiOf = (handler: string): string => handler.split('/')[1] ?? '';

const byteBuckets = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216];

/** Counts, times and, at debug, logs every request; ends its span. */
export class RequestTelemetry {
  private readonly seconds;
  private readonly requestBytes;
  private readonly responseBytes;
  private readonly apiSeconds: ReadonlyMap<string, Histogram<'method'>>;
  private readonly all: Series[] = [];

  /** @param apis first path segments whose requests are also counted as `<segment>_api_request_count` */
  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
    apis: readonly string[],
  ) {
    this.apiSeconds = new Map(apis.map((api) => [api, this.addApi(metrics, api)]));
    const labels = ['code', 'method', 'handler'] as const;
    metrics.counter({
      name: 'requests_total',
      help: 'Requests answered.',
      labels,
      collect: (counter) => this.all.forEach((series) => counter.inc(series.labels, series.count)),
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
      series.count += 1;
      const seconds = reply.elapsedTime / 1000;
      series.seconds.observe(seconds);
      series.apiSeconds?.observe(seconds);
      const length = request.raw.headers['content-length'];
      if (length !== undefined) series.requestBytes.observe(Number(length));
      series.responseBytes.observe(Number(reply.getHeader('content-length') ?? 0));
      this.finish(request, reply, code);
      done();
    };
  }

  private series(code: string, method: string, handler: string): Series {
    const labels = { code, method, handler };
    const series: Series = {
      labels,
      count: 0,
      seconds: this.seconds.labels(labels),
      apiSeconds: this.apiSeconds.get(apiOf(handler))?.labels({ method }),
      requestBytes: this.requestBytes.labels(labels),
      responseBytes: this.responseBytes.labels(labels),
    };
    this.all.push(series);
    return series;
  }

  /** The names that upstream dashboards know (`backends.md` 13). */
  private addApi(metrics: Metrics, api: string): Histogram<'method'> {
    metrics.counter({
      name: `${api}_api_request_count`,
      help: `Requests to the routes below /${api}.`,
      labels: ['method', 'status'] as const,
      collect: (counter) => {
        for (const { labels, count } of this.all) {
          if (apiOf(labels.handler) !== api) continue;
          counter.inc({ method: labels.method, status: labels.code }, count);
        }
      },
    });
    return metrics.histogram({
      name: `${api}_api_request_latency_seconds`,
      help: `Time from headers read to reply sent, below /${api}.`,
      labels: ['method'] as const,
    });
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
        // Queries hold signatures, cursors and whatever a caller took for a parameter.
        path: pathOf(request.raw.url ?? ''),
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
