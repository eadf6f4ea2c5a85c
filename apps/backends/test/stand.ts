import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventData, EventType } from '@glacis/contracts';
import { Broadcasts, EventsModule, EventsServer, type BusDriver } from '@glacis/events';
import {
  ManagerClient,
  RpcDirectory,
  type status,
  type ClientMessage,
  type DialectName,
  type ManagerStream,
  type ServerMessage,
} from '@glacis/grpc';
import { createHttpApp } from '@glacis/http';
import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { createLogger, Health, LOGGER, Metrics, Tracing } from '@glacis/observability';
import { CLOCK, systemClock, waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { DATABASE_URL, Store } from '@glacis/store';
import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AgentListener, BackendsModule, backendsSettings, ManagerListener } from '../src/index.js';
import { DialedAgent, type AgentDial } from './dialed-agent.js';
import { FakeCertificates, type ManagerFiles } from './fake-certificates.js';

class Globals {}
class Root {}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json(): Record<string, unknown>;
}

export interface Send {
  /** Value of `Authorization`; default a member of `tenant-a`, null for none. */
  authorization?: string | null;
  headers?: Record<string, string>;
  /** Sent as it is when text, else as JSON. */
  body?: unknown;
}

export interface StandOptions {
  databaseUrl: string;
  settings?: Record<string, string>;
  /** Default: a bus of its own. */
  bus?: BusDriver;
}

/** The service on free ports, with everything real but the certificate service. */
export class Stand {
  private readonly clients = new Set<{ close(): void }>();
  private stopped: Promise<void> | undefined;

  private constructor(
    readonly app: NestFastifyApplication,
    readonly certificates: FakeCertificates,
    readonly identity: TestIdentity,
    private readonly bearer: string,
  ) {}

  static async start(
    certificates: FakeCertificates,
    { databaseUrl, settings = {}, bus }: StandOptions,
  ): Promise<Stand> {
    const identity = await testIdentity();
    const directory = new RpcDirectory();
    directory.provide('certificates', certificates);
    const logger = createLogger({ name: 'test', level: process.env.TEST_LOG ?? 'silent' });
    const observed = {
      logger,
      metrics: new Metrics(),
      health: new Health(),
      tracing: new Tracing({ service: 'test' }),
    };
    const values: [string | symbol | (new (...args: never[]) => unknown), unknown][] = [
      [LOGGER, logger],
      [Metrics, observed.metrics],
      [Health, observed.health],
      [Tracing, observed.tracing],
      [CLOCK, systemClock],
      [DATABASE_URL, databaseUrl],
      [RpcDirectory, directory],
    ];
    const globals: DynamicModule = {
      module: Globals,
      global: true,
      providers: values.map(([provide, useValue]) => ({ provide, useValue })),
      exports: values.map(([provide]) => provide),
    };
    const backends = BackendsModule.forRoot(
      loadSettings(backendsSettings, {
        env: {},
        overrides: {
          managerHost: '127.0.0.1',
          managerPort: '0',
          agentHost: '127.0.0.1',
          agentPort: '0',
          grpcPort: '',
          shutdownSpread: '0s',
          handshakes: '10000',
          ...settings,
        },
      }),
    );
    const app = await createHttpApp(
      {
        module: Root,
        imports: [globals, EventsModule.forRoot({ bus: bus && (() => bus) }), backends],
      },
      {
        ...observed,
        authenticate: (authorization) => identity.verifier.verify(authorization),
        about: { version: '', commit: '', description: '', buildTime: '', instanceId: '' },
        apis: ['backends'],
      },
    );
    app.connectMicroservice({ strategy: app.get(EventsServer) });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const stand = new Stand(app, certificates, identity, await identity.bearer());
    await waitFor(() => stand.managerPort !== undefined && stand.agentPort !== undefined, {
      what: 'the ports of streams',
    });
    return stand;
  }

  get store(): Store {
    return this.get(Store);
  }

  get managerPort(): number | undefined {
    return this.get(ManagerListener).port;
  }

  get agentPort(): number | undefined {
    return this.get(AgentListener).port;
  }

  get<T>(type: string | symbol | (new (...args: never[]) => T)): T {
    return this.app.get(type, { strict: false });
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.shutDown();
  }

  /** As at SIGTERM, while the managers are still there. */
  shutDown(): Promise<void> {
    return (this.stopped ??= this.app.close());
  }

  /** One request over a real connection, with the path exactly as given. */
  send(method: string, path: string, options: Send = {}): Promise<Reply> {
    const { authorization = this.bearer, headers, body } = options;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const { port } = this.app.getHttpServer().address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          port,
          host: '127.0.0.1',
          agent: false,
          method,
          path,
          headers: {
            ...(authorization !== null && { authorization }),
            ...(text !== undefined && {
              'content-type': 'application/json',
              'content-length': String(Buffer.byteLength(text)),
            }),
            ...headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const all = Buffer.concat(chunks).toString();
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              text: all,
              json: () => JSON.parse(all) as Record<string, unknown>,
            });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  /** Registers a backend and gives its id. */
  async backend(body: Record<string, unknown> = {}): Promise<string> {
    const reply = await this.send('POST', '/backends', {
      body: { name: `host ${Math.random().toString(36).slice(2)}`, ...body },
    });
    if (reply.status !== 201) throw new Error(reply.text);
    return String(reply.headers.location).slice('/backends/'.length);
  }

  async show(id: string): Promise<Record<string, unknown>> {
    return (await this.send('GET', `/backends/${id}`)).json();
  }

  /** Waits until the backend shows connected or not. */
  async active(id: string, expected: boolean): Promise<void> {
    await waitFor(async () => ((await this.show(id)).active ?? false) === expected, {
      what: `backend active ${expected}`,
    });
  }

  /** Tells this service's replicas what the certificate service would. */
  async publish<K extends EventType>(type: K, subject: string, data: EventData<K>): Promise<void> {
    await this.get(Broadcasts).publish(type, subject, data);
  }

  /** Revokes a serial and tells of it. */
  async revoke(serial: string): Promise<void> {
    const { sequence, revokedAt } = this.certificates.revoke(serial);
    const known = this.certificates.resolved.get(serial)!;
    await this.publish('certificate.revoked', serial, {
      serial_number: serial,
      entity_type: known.entityType,
      entity_id: known.entityId,
      reason: 0,
      revoked_at: revokedAt.toISOString(),
      sequence,
    });
  }

  /** A manager that dials with these files. */
  client(files: Partial<ManagerFiles>, options: Partial<Dial> = {}): ManagerClient {
    const client = new ManagerClient({
      address: `${options.host ?? '127.0.0.1'}:${this.managerPort}`,
      dialect: options.dialect ?? 'seed',
      tls: { ca: files.ca ?? '', key: files.key, cert: files.cert },
      userAgent: options.userAgent,
      metadata: options.metadata,
      connectTimeoutMs: 5_000,
    });
    this.clients.add(client);
    return client;
  }

  /** Dials and opens a stream; what comes is collected. */
  dial(files: Partial<ManagerFiles>, options: Partial<Dial> = {}): DialedStream {
    return new DialedStream(this.client(files, options), options.obeys ?? true);
  }

  /** A backend with a manager connected to it. */
  async connected(
    options: Partial<Dial> & { body?: Record<string, unknown> } = {},
  ): Promise<{ id: string; files: ManagerFiles; stream: DialedStream }> {
    const id = await this.backend(options.body);
    const files = await this.certificates.issue(id);
    const stream = this.dial(files, options);
    await stream.opened;
    return { id, files, stream };
  }

  /** Dials the port of agents, or another, and opens a stream there. */
  agent(files: Partial<ManagerFiles>, dial: AgentDial = {}): DialedAgent {
    const agent = new DialedAgent(`127.0.0.1:${dial.port ?? this.agentPort}`, files, dial);
    this.clients.add(agent);
    return agent;
  }

  /** A confidential VM whose agent is connected. */
  async connectedAgent(
    dial: AgentDial & { body?: Record<string, unknown> } = {},
  ): Promise<{ id: string; files: ManagerFiles; agent: DialedAgent }> {
    const id = await this.backend({ entity_type: 'cvm', ...dial.body });
    const files = await this.certificates.issue(id, { entityType: 'cvm' });
    const agent = this.agent(files, dial);
    await agent.opened;
    return { id, files, agent };
  }

  /** Outbox rows of a backend in their order. */
  async events(backendId: string): Promise<{ type: EventType; data: Record<string, unknown> }[]> {
    const rows = await this.store.query<{ envelope: string }>(
      'SELECT envelope FROM outbox WHERE key = $1 ORDER BY seq',
      [backendId],
    );
    return rows.map((row) =>
      typeof row.envelope === 'string' ? JSON.parse(row.envelope) : row.envelope,
    );
  }
}

export interface Dial {
  host: string;
  dialect: DialectName;
  userAgent: string;
  metadata: Record<string, string>;
  /** True: ends its stream on Terminate, as managers do. */
  obeys: boolean;
}

/** A manager's side of one stream, with all that happened on it. */
export class DialedStream {
  readonly messages: ServerMessage[] = [];
  readonly opened: Promise<void>;
  readonly ended: Promise<{ code: status; details: string }>;
  private readonly stream: ManagerStream;

  constructor(
    readonly client: ManagerClient,
    obeys: boolean,
  ) {
    let open: () => void;
    let fail: (error: Error) => void;
    let end: (value: { code: status; details: string }) => void;
    this.opened = new Promise((resolve, reject) => {
      open = resolve;
      fail = reject;
    });
    this.opened.catch(() => undefined);
    this.ended = new Promise((resolve) => (end = resolve));
    this.stream = client.open({
      onOpen: () => open(),
      onMessage: (message) => {
        this.messages.push(message);
        if (obeys && message.kind === 'terminate') this.stream.end();
      },
      onEnd: (ending) => {
        fail(new Error(`ended with ${ending.code}: ${ending.details}`));
        end(ending);
      },
    });
  }

  send(message: ClientMessage): Promise<void> {
    return this.stream.send(message);
  }

  end(): void {
    this.stream.end();
  }
}
