import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createMutualHttps, type TlsCredentials } from '@glacis/grpc';
import { equipServer } from '@glacis/http';
import { LOGGER, type Logger } from '@glacis/observability';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import fastify, { type FastifyInstance } from 'fastify';
import { Secrets } from '../access/secrets.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { AgentRoutes } from './agent-routes.js';
import { listenerCredentials } from './listener-credentials.js';

/** A report with the MACs of many share files is the longest body. */
const bodyLimit = 8 * 1024 * 1024;
/** Milliseconds: a request may wait 30 s for work, and a result may be long. */
const requestTimeoutMs = 300_000;

/** The port of party agents: mutual TLS, nothing but `/agents/*`. */
@Injectable()
export class AgentListener implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private app: FastifyInstance | undefined;
  private server: Server | undefined;
  private credentials: TlsCredentials | undefined;
  private readonly ending = new AbortController();

  constructor(
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(Secrets) private readonly secrets: Secrets,
    @Inject(AgentRoutes) private readonly routes: AgentRoutes,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The port listened on; undefined until it is open. */
  get port(): number | undefined {
    return this.server?.listening ? (this.server.address() as AddressInfo).port : undefined;
  }

  /** As agents elsewhere reach it. */
  get url(): string {
    return this.settings.agentsUrl ?? this.ownUrl;
  }

  /** As agents on this host reach it. */
  get ownUrl(): string {
    const { agentsHost: host } = this.settings;
    const { port } = this;
    if (port === undefined) throw new Error('the port of agents is not open yet');
    const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    return `https://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
  }

  /** PEM of what its certificate chains to. */
  get ca(): string {
    if (this.credentials === undefined) throw new Error('the port of agents is not open yet');
    return this.credentials.ca.toString();
  }

  async onApplicationBootstrap(): Promise<void> {
    const { agentsHost: host, agentsPort: port } = this.settings;
    this.credentials = await listenerCredentials(this.secrets.current, this.names());
    const app = fastify({
      bodyLimit,
      exposeHeadRoutes: false,
      forceCloseConnections: true,
      serverFactory: (handler) => {
        const credentials = (): TlsCredentials => this.credentials as TlsCredentials;
        const handshakeLimit = { count: 10_000, windowMs: 10_000 };
        this.server = createMutualHttps({ credentials, requestTimeoutMs, handshakeLimit }, handler);
        return this.server;
      },
    });
    equipServer(app, this.logger);
    this.routes.add(app, this.ending.signal);
    await app.listen({ host, port });
    this.app = app;
  }

  /** Under which it is dialled. */
  private names(): string[] {
    const { agentsHost, agentsUrl } = this.settings;
    const named = agentsUrl === undefined ? [] : [new URL(agentsUrl).hostname];
    return [...new Set(['127.0.0.1', 'localhost', agentsHost, ...named])];
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.ending.abort();
    await this.app?.close();
  }
}
