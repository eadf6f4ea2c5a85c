import {
  Catch,
  type ArgumentsHost,
  type DynamicModule,
  type ExceptionFilter,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  NestLogger,
  type Health,
  type Logger,
  type Metrics,
  type Tracing,
} from '@glacis/observability';
import { TokenBuckets } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpAdapter } from './adapter.js';
import { Admission, type Authenticate } from './admission.js';
import { boundBodyTime } from './body-time.js';
import { answerBrokenRequest } from './broken-request.js';
import { clientAddress } from './client-address.js';
import { Connections } from './connections.js';
import { readBodies } from './content-type.js';
import { ProblemReplies } from './problem-reply.js';
import { equipRoutes } from './routes.js';
import { httpSettings, type HttpSettings } from './settings.js';
import { addSystemRoutes, type About } from './system-routes.js';
import { RequestTelemetry } from './telemetry.js';
import { answerUnmatched } from './unmatched.js';

export interface HttpAppOptions {
  logger: Logger;
  metrics: Metrics;
  health: Health;
  tracing: Tracing;
  authenticate: Authenticate;
  about: About;
  /** First path segments that are also counted as `<segment>_api_request_count{method,status}`. */
  apis?: readonly string[];
  /** Bounds; by default those of {@link httpSettings} without any environment. */
  settings?: HttpSettings;
}

@Catch()
class ProblemFilter implements ExceptionFilter {
  constructor(private readonly replies: ProblemReplies) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.replies.send(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/**
 * A Nest application on Fastify with everything that the routes of all services share: admission before bodies are
 * read, errors as problems, replies to the byte, health, metrics, traces and bounds.
 * @param module the root module
 * @throws {Error} here or at `listen`, when a route lacks {@link Operation}
 */
export async function createHttpApp(
  module: Type | DynamicModule,
  options: HttpAppOptions,
): Promise<NestFastifyApplication> {
  const settings = options.settings ?? loadSettings(httpSettings, { env: {} });
  const replies = new ProblemReplies(options.logger);
  const admission = new Admission({
    authenticate: options.authenticate,
    tracing: options.tracing,
    clientAddress: clientAddress(settings.trustedProxies),
    callers: new TokenBuckets({
      capacity: settings.callerBurst,
      refillPerSecond: settings.callerRate,
    }),
  });
  const { maxConnections, shutdownDelay: delayMs } = settings;
  const connections = new Connections({ maxConnections, delayMs });
  const adapter = makeAdapter(settings, { admission, replies, connections });
  const instance = adapter.getInstance<FastifyInstance>();
  const telemetry = new RequestTelemetry(options.metrics, options.logger, options.apis ?? []);
  instance.decorateRequest('context', null);
  // First, as a refusal ends the hooks and not the body.
  boundBodyTime(instance, settings.requestTimeout);
  equipRoutes(instance, admission, telemetry);
  answerUnmatched(instance, { admission, telemetry, replies });
  readBodies(instance);
  connections.bound(instance);
  addSystemRoutes(instance, options);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLogger(options.logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(replies));
  await options.tracing.ready;
  return app;
}

function makeAdapter(
  settings: HttpSettings,
  parts: { admission: Admission; replies: ProblemReplies; connections: Connections },
): HttpAdapter {
  const { admission, replies, connections } = parts;
  return new HttpAdapter(
    {
      bodyLimit: settings.bodyLimit,
      keepAliveTimeout: settings.idleTimeout,
      connectionTimeout: settings.requestTimeout + settings.idleTimeout,
      http: {
        headersTimeout: settings.headersTimeout,
        connectionsCheckingInterval: 1000,
        ServerResponse: connections.Response,
      },
      // Node bounds the whole header block, and so the path, by 16 KiB.
      routerOptions: { maxParamLength: 16_384 },
      exposeHeadRoutes: false,
      return503OnClosing: false,
      // Nest middleware is not used, and its dispatcher would cost each request.
      skipMiddie: true,
      clientErrorHandler: answerBrokenRequest,
      // A malformed path, which no route and so no hook has seen.
      frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
        const { span } = admission.open(request, reply, 'unmatched');
        replies.send(error, request, reply);
        span?.end();
      },
    },
    replies,
  );
}
