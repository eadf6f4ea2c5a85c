import type { IdentityOptions } from '@glacis/identity';
import { waitFor } from '@glacis/runtime';
import type { SettingsDefinition, Shape, Values } from '@glacis/settings';
import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Host } from './host.module.js';
import { SettingsLoader } from './settings-loader.js';
import { openProgram, type Program } from './program.js';
import { run } from './run.js';
import { makeHost, serviceProgramSettings, type ServiceProgramSettings } from './settings.js';
import { waitForDatabase } from './wait-for-database.js';

export interface ServiceOptions<S extends Shape> {
  /** As `backends`. */
  name: string;
  settings: SettingsDefinition<S>;
  /** First path segments of its routes, as its metrics count them. */
  apis: readonly string[];
  httpPort: (settings: Values<S>) => number;
  module: (settings: Values<S>) => DynamicModule;
  identity: (host: Host, settings: Values<S>) => Promise<IdentityOptions>;
  /** Done when the service is there and before its first request. */
  beforeListen?: (app: NestFastifyApplication, settings: Values<S>) => void | Promise<void>;
  /** Its ports beside HTTP by what they are for, once it is ready. */
  ports?: (app: NestFastifyApplication) => Record<string, number | undefined>;
  /** Milliseconds that a stop may take. Default 10,000. */
  stopLimitMs?: number;
}

/** The `main.ts` of a service that runs by itself: settings, database, bus, module, ports, and its end. */
export function runService<S extends Shape>(options: ServiceOptions<S>): Promise<void> {
  const { name, stopLimitMs = 10_000 } = options;
  return run({ name, stopLimitMs, start: () => start(options) });
}

async function start<S extends Shape>(options: ServiceOptions<S>): Promise<Program> {
  const { name } = options;
  const { program, service } = loadBoth(options.settings);
  const host = makeHost(name, program, program.databaseUrl);
  host.metrics.observeProcess();
  await waitForDatabase(host.databaseUrl, { limitMs: program.startTimeout, logger: host.logger });
  const running = await openProgram({
    host,
    services: [options.module(service)],
    identity: await options.identity(host, service),
    description: `${name} service`,
    apis: options.apis,
    http: { host: program.host, port: options.httpPort(service) },
    beforeListen: (app) => options.beforeListen?.(app, service),
  });
  void tellReady(options, host, running);
  return running;
}

function loadBoth<S extends Shape>(
  definition: SettingsDefinition<S>,
): { program: ServiceProgramSettings; service: Values<S> } {
  const loader = new SettingsLoader();
  const databaseUrl = process.env['DATABASE_URL'];
  const program = loader.load(serviceProgramSettings, {
    overrides: databaseUrl === undefined ? {} : { databaseUrl },
  });
  const service = loader.load(definition);
  loader.check();
  return { program, service };
}

/** Other services may start long after this one: until then it says again and again what it waits for. */
async function tellReady<S extends Shape>(
  { name, ports }: ServiceOptions<S>,
  { health, logger }: Host,
  { app, url }: Program,
): Promise<void> {
  for (;;) {
    const ready = waitFor(async () => (await health.ready()).status === 'ok', { everyMs: 100 });
    if (await ready.catch(() => false)) break;
    logger.warn({ waiting: (await health.ready()).error }, 'not ready yet');
  }
  const others = Object.entries(ports?.(app) ?? {}).map(([what, port]) => `, ${what} ${port}`);
  console.log(`${name} is ready: http ${url}${others.join('')}`);
}
