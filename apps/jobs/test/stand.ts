import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { kafkaSettings } from '@glacis/events';
import { makeHost, openProgram, serviceProgramSettings, type Program } from '@glacis/host';
import { httpSettings } from '@glacis/http';
import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { loadSettings } from '@glacis/settings';
import { Store } from '@glacis/store';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { ContentCheck } from '../src/runs/content-check.js';
import { PartyKeys } from '../src/runs/party-keys.js';
import { Worker } from '../src/runs/worker.js';
import type { ProviderName } from '../src/jobs/job.entity.js';
import { ProviderError } from '../src/storage/provider-error.js';
import { StorageProviders } from '../src/storage/storage-providers.js';
import { JobsModule, jobsMigrations, jobsSettings } from '../src/index.js';

export interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  /** The body, where it is JSON. */
  body: any; // oxlint-disable-line typescript/no-explicit-any -- tests read members by name
}

export interface Send {
  /** Text and bytes go as they are, the rest as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface StandOptions {
  /** By the keys of the settings. */
  settings?: Record<string, string>;
  /** The same, of HTTP. */
  http?: Record<string, string>;
  /** Address that it is said to listen on; default that of the loopback, where the mode is `open`. */
  host?: string;
  database?: TestDatabase;
  identity?: TestIdentity;
}

/** The service on a free port, on a database and a folder of its own. */
export class Stand {
  private constructor(
    readonly program: Program,
    readonly database: TestDatabase,
    readonly identity: TestIdentity,
    readonly folder: string,
    private readonly ownsDatabase: boolean,
  ) {}

  static async start(options: StandOptions = {}): Promise<Stand> {
    const database = options.database ?? (await testDatabase({ jobs: jobsMigrations }));
    const identity = options.identity ?? (await testIdentity());
    const folder = await mkdtemp(join(tmpdir(), 'glacis-jobs-'));
    const secretFile = join(folder, 'secret');
    await writeFile(secretFile, randomBytes(32));
    const program = loadSettings(serviceProgramSettings, {
      env: {},
      overrides: { databaseUrl: database.url, logLevel: process.env.TEST_LOG ? 'debug' : 'error' },
    });
    const settings = loadSettings(jobsSettings, {
      env: {},
      overrides: {
        secretFile,
        dataDir: join(folder, 'jobs'),
        agentsPort: '0',
        ...options.settings,
      },
    });
    const opened = await openProgram({
      host: makeHost('jobs', program, database.url),
      services: [JobsModule.forRoot(settings, { host: options.host ?? '127.0.0.1' })],
      identity,
      kafka: loadSettings(kafkaSettings, { env: {} }),
      description: 'jobs under test',
      apis: ['jobs'],
      http: {
        host: '127.0.0.1',
        port: 0,
        settings: loadSettings(httpSettings, { env: {}, overrides: options.http }),
      },
    });
    return new Stand(opened, database, identity, folder, options.database === undefined);
  }

  get<T>(type: new (...args: never[]) => T): T {
    return this.program.app.get(type, { strict: false });
  }

  /** Data of the events that are or were in the outbox, by type. */
  async events(type: string): Promise<unknown[]> {
    const rows = await this.get(Store).query<{ envelope: string }>(
      'SELECT envelope FROM outbox WHERE type = $1 ORDER BY seq',
      [type],
    );
    return rows.map(({ envelope }) => (JSON.parse(envelope) as { data: unknown }).data);
  }

  /** No party is started: keys are made up, contents are good, runs wait for ever. */
  async withoutParties(): Promise<void> {
    const key = (party: number): string => Buffer.alloc(32, party + 1).toString('base64url');
    this.get(PartyKeys).make = async ({ placement }) =>
      placement.map((_, party) => ({ party, sealKey: key(party), macKey: key(party) }));
    this.get(ContentCheck).run = async () => [];
    await this.get(Worker).beforeApplicationShutdown();
  }

  /** Buckets of a provider cannot be made any more. */
  breakProvider(name: ProviderName): void {
    this.get(StorageProviders).of(name).createBucket = async () => {
      throw new ProviderError('quota', 'no space is left');
    };
  }

  /** Names of the buckets that there are. */
  async buckets(): Promise<string[]> {
    const found = await this.get(StorageProviders).of('aws').listByTag({}, { timeoutMs: 10_000 });
    return found.map(({ name }) => name);
  }

  async count(table: string): Promise<number> {
    const [row] = await this.get(Store).query<{ count: string }>(`SELECT count(*) FROM ${table}`);
    return Number(row?.count);
  }

  async stop(): Promise<void> {
    await this.program.stop();
    if (this.ownsDatabase) await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async send(method: string, path: string, options: Send = {}): Promise<Reply> {
    const incoming = await this.open(method, path, options);
    const text = await textOf(incoming);
    const isJson = /json/.test(incoming.headers['content-type'] ?? '');
    const { statusCode: status = 0, headers } = incoming;
    return { status, headers, text, body: isJson && text ? JSON.parse(text) : undefined };
  }

  /** The answer with its body unread. */
  async open(method: string, path: string, { body, headers }: Send = {}): Promise<IncomingMessage> {
    const bytes = typeof body === 'string' || Buffer.isBuffer(body);
    const payload = body === undefined || bytes ? body : JSON.stringify(body);
    const outgoing = httpRequest(new URL(path, this.program.url), {
      method,
      agent: false,
      headers: { ...(payload !== undefined && { 'content-type': 'application/json' }), ...headers },
    }).end(payload);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return incoming;
  }
}
