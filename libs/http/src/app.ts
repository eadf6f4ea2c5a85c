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
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Server } from 'node:http';
import { HttpAdapter } from './adapter.js';
import { Admission, type Authenticate } from './admission.js';
import { readBodies } from './content-type.js';
import { answerBrokenRequest } from './broken-request.js';
import { operationOf } from './operation.js';
import { ProblemReplies } from './problem-reply.js';
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
  /** Bounds; the defaults of {@link httpSettings}. */
  settings?: HttpSettings;
}

/** Milliseconds that requests under way have after the server stopped accepting; the rest is cut. */
const drainMs = 8000;

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
 * @throws {Error} at `init` or `listen`, when a route lacks {@link Operation}
 */
export async function createHttpApp(
  module: Type | DynamicModule,
  options: HttpAppOptions,
): Promise<NestFastifyApplication> {
  const settings = options.settings ?? loadSettings(httpSettings, { env: {} });
  const replies = new ProblemReplies(options.logger);
  const adapter = makeAdapter(settings, replies);
  const instance = adapter.getInstance() as unknown as FastifyInstance;
  prepare(instance, adapter, { ...options, settings, replies });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLogger(options.logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(replies));
  await options.tracing.ready;
  return app;
}

function makeAdapter(settings: HttpSettings, replies: ProblemReplies): HttpAdapter {
  return new HttpAdapter({
    bodyLimit: settings.bodyLimit,
    keepAliveTimeout: settings.idleTimeout,
    requestTimeout: settings.requestTimeout,
    connectionTimeout: settings.requestTimeout + settings.idleTimeout,
    http: { headersTimeout: settings.headersTimeout, connectionsCheckingInterval: 1000 },
    // Node bounds the whole header block, and so the path, by 16 KiB.
    routerOptions: { maxParamLength: 16_384 },
    return503OnClosing: false,
    skipMiddie: true,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      replies.send(error, request, reply),
  });
}

interface Prepared extends HttpAppOptions {
  settings: HttpSettings;
  replies: ProblemReplies;
}

function prepare(instance: FastifyInstance, adapter: HttpAdapter, options: Prepared): void {
  const { settings, replies } = options;
  const admission = new Admission({
    authenticate: options.authenticate,
    tracing: options.tracing,
    callers: new TokenBuckets({
      capacity: settings.callerBurst,
      refillPerSecond: settings.callerRate,
    }),
  });
  const telemetry = new RequestTelemetry(options.metrics, options.logger);
  instance.decorateRequest('context', null);
  instance.addHook('onRoute', (route) => equip(route, admission, telemetry));
  answerUnmatched(instance, adapter, { admission, telemetry, replies });
  readBodies(instance);
  boundConnections(instance, settings.maxConnections);
  addSystemRoutes(instance, options);
}

/** Gives a route its hooks, from what its {@link Operation} declares. */
function equip(route: RouteOptions, admission: Admission, telemetry: RequestTelemetry): void {
  const operation = operationOf(route.config);
  const method = String(route.method);
  if (!operation) {
    throw new Error(`route ${method} ${route.url} declares no @Operation`);
  }
  route.onRequest = admission.hook(operation, route.url);
  route.onResponse = telemetry.hook(method, route.url);
  if (operation.bodyLimit !== undefined) route.bodyLimit = operation.bodyLimit;
}

function boundConnections(instance: FastifyInstance, maxConnections: number): void {
  const server = instance.server as Server;
  server.maxConnections = maxConnections;
  let cut: NodeJS.Timeout;
  instance.addHook('preClose', (done) => {
    cut = setTimeout(() => server.closeAllConnections(), drainMs).unref();
    done();
  });
  instance.addHook('onClose', (_instance, done) => {
    clearTimeout(cut);
    done();
  });
}
