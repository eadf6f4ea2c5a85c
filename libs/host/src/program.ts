import type { AddressInfo } from 'node:net';
import { chooseBus, EventsModule, EventsServer, type KafkaSettings } from '@glacis/events';
import { addDocumentRoute, createHttpApp, type HttpSettings } from '@glacis/http';
import { IdentityModule, type IdentityOptions } from '@glacis/identity';
import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { about, version } from './about.js';
import { HostModule, type Host } from './host.module.js';

export interface ProgramOptions {
  host: Host;
  /** The modules of the services that it hosts. */
  services: DynamicModule[];
  identity: IdentityOptions;
  /** Where events travel; without brokers in this process. */
  kafka: KafkaSettings;
  /** What `/health` calls it. */
  description: string;
  /** First path segments that are also counted as `<segment>_api_request_count`. */
  apis: readonly string[];
  /** Where HTTP is listened for; port 0 takes a free one. */
  http: { host: string; port: number; settings: HttpSettings };
  /** What its own `/openapi.json` is called; absent: one of its services serves that path. */
  document?: string;
  /** Done when the services are there and before the first request. */
  beforeListen?: (app: NestFastifyApplication) => void | Promise<void>;
}

/** Services that run in this process. */
export interface Program {
  app: NestFastifyApplication;
  /** `http://host:port`. */
  url: string;
  /** Ends streams and requests, events and connections, in this order. */
  stop(): Promise<void>;
}

@Module({})
class Root {}

/** Opens the services of a program: events flow, and HTTP is listened for. */
export async function openProgram(options: ProgramOptions): Promise<Program> {
  const { host, identity } = options;
  const root: DynamicModule = {
    module: Root,
    imports: [
      HostModule.forRoot(host),
      EventsModule.forRoot({ bus: (context) => chooseBus(options.kafka, context) }),
      IdentityModule.forRoot(identity),
      ...options.services,
    ],
  };
  const app = await createHttpApp(root, {
    ...host,
    about: about(options.description),
    apis: options.apis,
    settings: options.http.settings,
    authenticate: (authorization) => identity.verifier.verify(authorization),
  });
  const stop = async (): Promise<void> => {
    await app.close();
    host.directory.close();
    await host.tracing.close();
  };
  try {
    app.connectMicroservice({ strategy: app.get(EventsServer) });
    await app.startAllMicroservices();
    if (options.document !== undefined) serveDocument(app, options.document);
    await options.beforeListen?.(app);
    await app.listen(options.http.port, options.http.host);
    return { app, url: urlOf(app, options.http.host), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serveDocument(app: NestFastifyApplication, title: string): void {
  addDocumentRoute(app, { title, description: 'Every route of this service.', version });
}

function urlOf(app: NestFastifyApplication, host: string): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
