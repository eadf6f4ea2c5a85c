import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { kafkaSettings } from '@glacis/events';
import { makeHost, openProgram, serviceProgramSettings, type Program } from '@glacis/host';
import { httpSettings } from '@glacis/http';
import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { loadSettings } from '@glacis/settings';
import { Store } from '@glacis/store';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { GraphAppsModule, graphAppsMigrations, graphAppsSettings } from '../src/index.js';
import type { FlowAddress } from '../src/flows/upstream.js';

export interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  /** The body, where it is JSON. */
  body: any; // oxlint-disable-line typescript/no-explicit-any -- tests read members by name
}

export interface Send {
  body?: unknown;
  headers?: Record<string, string>;
  tenant?: string;
}

export interface StandOptions {
  /** By the keys of the settings. */
  settings?: Record<string, string>;
  database?: TestDatabase;
  identity?: TestIdentity;
  flowAddress?: FlowAddress;
}

/** The service on a free port, on a database of its own unless it is given one. */
export class Stand {
  private constructor(
    readonly program: Program,
    readonly database: TestDatabase,
    readonly identity: TestIdentity,
    private readonly ownsDatabase: boolean,
  ) {}

  static async start(options: StandOptions = {}): Promise<Stand> {
    const database =
      options.database ?? (await testDatabase({ 'graph-apps': graphAppsMigrations }));
    const identity = options.identity ?? (await testIdentity());
    const program = loadSettings(serviceProgramSettings, {
      env: {},
      overrides: { databaseUrl: database.url, logLevel: process.env.TEST_LOG ? 'debug' : 'error' },
    });
    const settings = loadSettings(graphAppsSettings, { env: {}, overrides: options.settings });
    const opened = await openProgram({
      host: makeHost('graph-apps', program, database.url),
      services: [GraphAppsModule.forRoot(settings, options.flowAddress)],
      identity,
      kafka: loadSettings(kafkaSettings, { env: {} }),
      description: 'graph-apps under test',
      apis: ['api'],
      http: { host: '127.0.0.1', port: 0, settings: loadSettings(httpSettings, { env: {} }) },
    });
    return new Stand(opened, database, identity, options.database === undefined);
  }

  get<T>(type: new (...args: never[]) => T): T {
    return this.program.app.get(type, { strict: false });
  }

  /** Data of the events that are or were in the outbox, by type. */
  async events(type: string): Promise<Record<string, unknown>[]> {
    const rows = await this.get(Store).query<{ envelope: string }>(
      'SELECT envelope FROM outbox WHERE type = $1 ORDER BY seq',
      [type],
    );
    return rows.map(
      ({ envelope }) => (JSON.parse(envelope) as { data: Record<string, unknown> }).data,
    );
  }

  async stop(): Promise<void> {
    await this.program.stop();
    if (this.ownsDatabase) await this.database.drop();
  }

  /** @param path below `/api/v1` */
  async send(method: string, path: string, options: Send = {}): Promise<Reply> {
    const incoming = await this.open(method, `/api/v1${path}`, options);
    const text = await textOf(incoming);
    const isJson = incoming.headers['content-type']?.endsWith('json');
    const { statusCode: status = 0, headers } = incoming;
    return { status, headers, text, body: isJson && text ? JSON.parse(text) : undefined };
  }

  /** The answer with its body unread. */
  async open(method: string, path: string, options: Send = {}): Promise<IncomingMessage> {
    const { body, headers, tenant = 'tenant-a' } = options;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = httpRequest(new URL(path, this.program.url), {
      method,
      agent: false,
      headers: {
        authorization: await this.identity.bearer({ tenant }),
        ...(text !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
    }).end(text);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return incoming;
  }
}
