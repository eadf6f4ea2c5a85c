import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EventsModule, EventsServer, InProcessBus, type BusDriver } from '@glacis/events';
import { RpcDirectory } from '@glacis/grpc';
import { createHttpApp } from '@glacis/http';
import { IdentityModule, TokenVerifier, type RevokedTokens } from '@glacis/identity';
import type { TestIdentity } from '@glacis/identity/testing';
import { createLogger, Health, LOGGER, Metrics, Tracing } from '@glacis/observability';
import { CLOCK, ManualClock, writeSecretFile } from '@glacis/runtime';
import { loadKeks } from '@glacis/pki';
import { loadSettings } from '@glacis/settings';
import { DATABASE_URL, openStore, Store } from '@glacis/store';
import { temporaryFolder } from '@glacis/testbed';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { GatewayModule } from '../src/gateway.module.js';
import { gatewayMigrations } from '../src/migrations.js';
import { gatewaySettings } from '../src/settings.js';
import { IssuerKeySafe } from '../src/tokens/issuer-key-safe.js';
import { lockKeys, replaceKeys } from '../src/tokens/issuer-keys.store.js';

export interface DoorOptions {
  databaseUrl: string;
  clock: ManualClock;
  identity: TestIdentity;
  /** Default: those of the identity, as in one process. */
  revoked?: RevokedTokens;
  bus?: BusDriver;
  modules?: (Type | DynamicModule)[];
  /** Environment for the settings. */
  env?: Record<string, string>;
  /** Where it finds other services, and they find it. */
  directory?: RpcDirectory;
}

/** A gateway on a socket of its own, with what a test wants to look at. */
export interface Door {
  app: NestFastifyApplication;
  url: string;
  store: Store;
  health: Health;
  /** Everything that was logged. */
  log(): string;
  call(path: string, init?: CallInit): Promise<Reply>;
  close(): Promise<void>;
}

export interface CallInit {
  method?: string;
  bearer?: string;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body where it is JSON, else an empty object. */
  json: ReplyBody;
}

/** The members that tests read by name, of whichever reply. */
interface ReplyBody {
  [member: string]: unknown;
  id: string;
  token: string;
  expires_at: string;
  type: string;
  code: string;
  total: number;
  tokens: { id: string }[];
  entries: { tenant: string; request_id: string }[];
  problems: { slug: string }[];
  services: { name: string; ready: boolean }[];
  openapi: string;
  paths: object;
  unsealed: number;
}

@Module({})
class HostModule {}

function hostModule(provided: [unknown, unknown][]): DynamicModule {
  const providers = provided.map(([provide, useValue]) => ({ provide, useValue }) as never);
  const exports = provided.map(([provide]) => provide as never);
  return { module: HostModule, global: true, providers, exports };
}

let kek: Promise<string> | undefined;

/** The same for all doors, as replicas share it. */
export function kekFile(): Promise<string> {
  kek ??= temporaryFolder().then(async (folder) => {
    const file = join(folder, 'kek');
    await writeSecretFile(file, randomBytes(32));
    return file;
  });
  return kek;
}

/** The keys of the identity are those of the doors on this database, unless others are there already. */
async function keepKeys({ databaseUrl: url, identity }: DoorOptions): Promise<void> {
  const logger = createLogger({ name: 'test', level: 'silent' });
  const store = await openStore({ service: 'gateway', url, migrations: gatewayMigrations, logger });
  const safe = new IssuerKeySafe(await loadKeks(await kekFile()));
  const { signing } = await identity.issuer.keys.current();
  const key = await safe.sealSigning(signing.key);
  await store.transaction(async (tx) => {
    if ((await lockKeys(tx)).length === 0) await replaceKeys(tx, [key]);
  });
  await store.close();
}

export async function openDoor(options: DoorOptions): Promise<Door> {
  const { identity, clock, databaseUrl } = options;
  await keepKeys(options);
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const observed = { metrics: new Metrics(), health: new Health(), logger };
  const tracing = new Tracing({ service: 'test' });
  const revoked = options.revoked ?? identity.revoked;
  const { issuer } = identity;
  const verifier = new TokenVerifier({ issuers: [issuer.trusted()], revoked, clock });
  const host = hostModule([
    [LOGGER, logger],
    [Metrics, observed.metrics],
    [Health, observed.health],
    [Tracing, tracing],
    [DATABASE_URL, databaseUrl],
    [CLOCK, clock],
    [RpcDirectory, options.directory ?? new RpcDirectory()],
  ]);
  const bus = options.bus ?? new InProcessBus({ logger });
  const root: DynamicModule = {
    module: class Root {},
    imports: [
      host,
      EventsModule.forRoot({ bus: () => bus, pollMs: 50 }),
      IdentityModule.forRoot({ issuer, verifier, revoked }),
      GatewayModule.forRoot(
        loadSettings(gatewaySettings, {
          env: options.env ?? {},
          overrides: { grpcPort: '', kekFile: await kekFile() },
        }),
      ),
      ...(options.modules ?? []),
    ],
  };
  const app = await createHttpApp(root, {
    ...observed,
    tracing,
    authenticate: (authorization) => verifier.verify(authorization),
    about: { version: '0', commit: '0', description: 'test', buildTime: '0', instanceId: '0' },
  });
  app.connectMicroservice({ strategy: app.get(EventsServer) });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    app,
    url,
    health: observed.health,
    store: app.get(Store, { strict: false }),
    log: () => lines.join(''),
    call: (path, init = {}) => call(url + path, init),
    close: () => app.close(),
  };
}

async function call(
  url: string,
  { method = 'GET', bearer, body, headers }: CallInit,
): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = text !== '' && response.headers.get('content-type')?.endsWith('json');
  const json = (isJson ? JSON.parse(text) : {}) as ReplyBody;
  return { status: response.status, headers: response.headers, text, json };
}
