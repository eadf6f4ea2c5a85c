import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { EventsModule, EventsServer } from '@glacis/events';
import { JOIN_TOKEN, RpcDirectory } from '@glacis/grpc';
import { createHttpApp, httpSettings } from '@glacis/http';
import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { createLogger, Health, LOGGER, Metrics, Tracing } from '@glacis/observability';
import { CLOCK, ManualClock } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { DATABASE_URL, openStore, type Store } from '@glacis/store';
import { temporaryFolder, testDatabase, type TestDatabase } from '@glacis/testbed';
import { CertificatesModule, certificatesMigrations, certificatesSettings } from '../src/index.js';
import { FakeBackends } from './fake-backends.js';

export interface SuiteOptions {
  /** `GLACIS_CERTS_*` without the prefix. */
  env?: Record<string, string>;
  /** The database of another replica. */
  database?: TestDatabase;
  clock?: ManualClock;
  backends?: FakeBackends;
  kekFile?: string;
  identity?: TestIdentity;
  joinToken?: Buffer;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- replies are looked into freely
  json(): any;
}

export interface Send {
  token?: string;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: unknown;
}

const running = new Set<Suite>();

/** One replica of the service on a free port, with real HTTP, events and Postgres; only `backends` is a fake. */
export class Suite {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly identity: TestIdentity,
    readonly backends: FakeBackends,
    readonly clock: ManualClock,
    readonly database: TestDatabase,
    readonly directory: RpcDirectory,
    readonly kekFile: string,
    /** Another connection to the service's schema, to look behind the API. */
    readonly store: Store,
    readonly metrics: Metrics,
    private readonly ownsDatabase: boolean,
  ) {}

  static async start(options: SuiteOptions = {}): Promise<Suite> {
    const database =
      options.database ?? (await testDatabase({ certificates: certificatesMigrations }));
    const clock = options.clock ?? new ManualClock(new Date());
    const backends = options.backends ?? new FakeBackends();
    const directory = new RpcDirectory();
    directory.provide('backends', backends);
    const kekFile = options.kekFile ?? (await newKekFile());
    const logger = createLogger({ name: 'test', level: process.env.TEST_LOG ?? 'silent' });
    const env = Object.fromEntries(
      Object.entries({
        KEK_FILE: kekFile,
        STATUS_URL: 'http://status.test',
        GRPC_PORT: '',
        EST_PORT: '',
        ...options.env,
      }).map(([name, value]) => [`GLACIS_CERTS_${name}`, value]),
    );
    const settings = loadSettings(certificatesSettings, { env });
    const metrics = new Metrics();
    const health = new Health();
    const tracing = new Tracing({ service: 'test' });
    const identity = options.identity ?? (await testIdentity());
    const given = [
      { provide: LOGGER, useValue: logger },
      { provide: Metrics, useValue: metrics },
      { provide: Health, useValue: health },
      { provide: Tracing, useValue: tracing },
      { provide: CLOCK, useValue: clock },
      { provide: DATABASE_URL, useValue: database.url },
      { provide: RpcDirectory, useValue: directory },
      { provide: JOIN_TOKEN, useFactory: () => options.joinToken },
    ];
    @Global()
    @Module({ providers: given, exports: given.map(({ provide }) => provide) })
    class HostModule {}
    @Module({
      imports: [HostModule, EventsModule.forRoot(), CertificatesModule.forRoot(settings)],
    })
    class TestModule {}
    const app = await createHttpApp(TestModule, {
      apis: ['certs'],
      logger,
      metrics,
      health,
      tracing,
      authenticate: (authorization) => identity.verifier.verify(authorization),
      about: {
        version: '1',
        commit: 'c',
        description: 'certs service',
        buildTime: '2026-01-01T00:00:00Z',
        instanceId: 'one',
      },
      settings: {
        ...loadSettings(httpSettings, { env: {} }),
        callerRate: 1e6,
        callerBurst: 1e6,
      },
    });
    app.connectMicroservice({ strategy: app.get(EventsServer) });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const store = await openStore({
      service: 'certificates',
      url: database.url,
      migrations: [],
      logger,
      poolSize: 2,
    });
    const suite = new Suite(
      app,
      identity,
      backends,
      clock,
      database,
      directory,
      kekFile,
      store,
      metrics,
      options.database === undefined,
    );
    running.add(suite);
    return suite;
  }

  /** Another replica on the same database, key-encryption key, clock, backends and tokens. */
  replica(env: Record<string, string> = {}): Promise<Suite> {
    const { database, kekFile, clock, backends, identity } = this;
    return Suite.start({ env, database, kekFile, clock, backends, identity });
  }

  /** Ends whatever a test has left running; in `afterAll`. */
  static async stopAll(): Promise<void> {
    for (const suite of [...running].toReversed()) await suite.stop();
  }

  get port(): number {
    return (this.app.getHttpServer().address() as AddressInfo).port;
  }

  token(tenant: string | null = 'tenant-a', roles: string[] = ['member']): Promise<string> {
    return this.identity.token({ tenant, roles });
  }

  async stop(): Promise<void> {
    if (!running.delete(this)) return;
    await this.app.close();
    await this.store.close();
    if (this.ownsDatabase) await this.database.drop();
  }

  /** One request, with the path exactly as given. */
  send(method: string, path: string, { token, headers, body }: Send = {}): Promise<Reply> {
    const isBytes = Buffer.isBuffer(body) || typeof body === 'string';
    const bytes =
      body === undefined ? undefined : isBytes ? (body as string | Buffer) : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          headers: {
            ...(token && { authorization: `Bearer ${token}` }),
            ...(bytes !== undefined && {
              'content-type': 'application/json',
              'content-length': String(Buffer.byteLength(bytes)),
            }),
            ...headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const content = Buffer.concat(chunks);
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              bytes: content,
              text: content.toString('utf8'),
              json: () => JSON.parse(content.toString('utf8')),
            });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(bytes);
    });
  }

  /** Issues for a new backend of the tenant and returns serial and backend. */
  async issued(
    body: unknown = {},
    { tenant = 'tenant-a', address = '' }: { tenant?: string; address?: string } = {},
  ): Promise<{ serial: string; backend: string; token: string }> {
    const token = await this.token(tenant);
    const backend = this.backends.register(tenant, address);
    const reply = await this.send('POST', `/certs/issue/backend/${backend}`, { token, body });
    if (reply.status !== 201) throw new Error(`${reply.status} ${reply.text}`);
    return { serial: reply.json().serial_number, backend, token };
  }

  /** The files of a certificate, by a token of its own. */
  async files(
    serial: string,
    token: string,
  ): Promise<{ certificate: string; private_key: string | null; ca: string }> {
    const { token: download } = (
      await this.send('GET', `/certs/${serial}/download/token`, { token })
    ).json();
    const reply = await this.send('GET', `/certs/${serial}/download?token=${download}`, {
      headers: { accept: 'application/json' },
    });
    if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
    const body = reply.json();
    const text = (base64: string | null): string | null =>
      base64 === null ? null : Buffer.from(base64, 'base64').toString();
    return {
      certificate: text(body.certificate) ?? '',
      private_key: text(body.private_key),
      ca: text(body.ca) ?? '',
    };
  }
}

export async function newKekFile(): Promise<string> {
  const file = join(await temporaryFolder(), 'kek');
  await writeFile(file, randomBytes(32).toString('base64'));
  return file;
}
