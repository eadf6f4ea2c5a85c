import { kafkaSettings, type KafkaSettings } from '@glacis/events';
import { httpSettings, type HttpSettings } from '@glacis/http';
import { identitySettings, openIdentity, type IdentitySettings } from '@glacis/identity';
import { waitFor, type RunOptions } from '@glacis/runtime';
import type { SettingsDefinition, Shape, Values } from '@glacis/settings';
import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Host } from './host.module.js';
import { findPeers, identifyTo, joinTokenOf, type OwnCertificate } from './peers.js';
import { SettingsLoader } from './settings-loader.js';
import { openProgram, type Program } from './program.js';
import { run } from './run.js';
import { makeHost, serviceProgramSettings, type ServiceProgramSettings } from './settings.js';
import { waitForDatabase } from './wait-for-database.js';

/** Milliseconds after which a service that waits for others says so again. */
const sayAgainMs = 10_000;

export interface ServiceOptions<S extends Shape> {
  /** As `backends`. */
  name: string;
  settings: SettingsDefinition<S>;
  /** First path segments of its routes, as its metrics count them. */
  apis: readonly string[];
  httpPort: (settings: Values<S>) => number;
  module: (settings: Values<S>, program: ServiceProgramSettings) => DynamicModule;
  /** True for the gateway. Default false. */
  makesTokens?: boolean;
  /** True: its module serves `/openapi.json` itself. */
  ownDocument?: boolean;
  /** Done when the service is there and before its first request. */
  beforeListen?: (app: NestFastifyApplication, settings: Values<S>) => void | Promise<void>;
  /** True where it calls services and serves no calls, with whose port it would get its certificate. Default false. */
  callsOnly?: boolean;
  /** Its ports beside HTTP by what they are for, once it is ready. */
  ports?: (app: NestFastifyApplication) => Record<string, number | undefined>;
  /** Milliseconds that a stop may take. Default 10,000. */
  stopLimitMs?: number;
  /** Errors of its start that explain themselves. */
  plain?: RunOptions['plain'];
}

/** The `main.ts` of a service that runs by itself: settings, database, bus, module, ports, and its end. */
export function runService<S extends Shape>(options: ServiceOptions<S>): Promise<void> {
  const { name, stopLimitMs = 10_000, plain = [] } = options;
  return run({ name, stopLimitMs, plain, start: () => start(options) });
}

async function start<S extends Shape>(options: ServiceOptions<S>): Promise<Program> {
  const { name } = options;
  const { program, service, tokens, kafka, http } = loadAll(options.settings);
  const host = await hostOf(name, program);
  const identity = openIdentity({
    settings: tokens,
    logger: host.logger,
    makesTokens: options.makesTokens,
    gateway: program.gatewayGrpcUrl ? host.directory.client('gateway') : undefined,
  });
  const certificate = options.callsOnly ? ownCertificate(host, name, program) : undefined;
  await waitForDatabase(host.databaseUrl, { limitMs: program.startTimeout, logger: host.logger });
  const running = await openProgram({
    host,
    services: [options.module(service, program)],
    identity,
    kafka,
    description: `${name} service`,
    apis: options.apis,
    http: { host: program.host, port: options.httpPort(service), settings: http },
    document: options.ownDocument ? undefined : `Glacis ${name}`,
    beforeListen: (app) => options.beforeListen?.(app, service),
  });
  void tellReady(options, host, running);
  const stop = async (): Promise<void> => {
    await running.stop();
    await certificate?.stop();
  };
  return { ...running, stop };
}

/** None where its peers know it by nothing: it then calls nobody. */
function ownCertificate(
  { directory, health, joinToken, logger }: Host,
  name: string,
  { certsGrpcUrl }: ServiceProgramSettings,
): OwnCertificate | undefined {
  if (joinToken === undefined || certsGrpcUrl === undefined) return undefined;
  const certificate = identifyTo(directory, name, { logger });
  health.add('own certificate', async () => certificate.check());
  return certificate;
}

interface Loaded<S> {
  program: ServiceProgramSettings;
  service: Values<S>;
  tokens: IdentitySettings;
  kafka: KafkaSettings;
  http: HttpSettings;
}

function loadAll<S extends Shape>(definition: SettingsDefinition<S>): Loaded<S> {
  const loader = new SettingsLoader();
  const { DATABASE_URL: databaseUrl, KAFKA_BROKERS: brokers } = process.env;
  const loaded = {
    program: loader.load(serviceProgramSettings, databaseUrl && { databaseUrl }),
    service: loader.load(definition),
    tokens: loader.load(identitySettings),
    kafka: loader.load(kafkaSettings, brokers && { brokers }),
    // Proxies keep connections to it, and are to leave before they are closed.
    http: loader.load(httpSettings, { shutdownDelay: '500ms' }),
  };
  loader.check();
  return loaded;
}

async function hostOf(name: string, settings: ServiceProgramSettings): Promise<Host> {
  const joinToken = await joinTokenOf(settings);
  const directory = findPeers(settings, joinToken);
  const host = { ...makeHost(name, settings, settings.databaseUrl), directory, joinToken };
  host.metrics.observeProcess();
  return host;
}

/** Other services may start long after this one: until then it says again and again what it waits for. */
async function tellReady<S extends Shape>(
  { name, ports }: ServiceOptions<S>,
  { health, logger }: Host,
  { app, url }: Program,
): Promise<void> {
  for (;;) {
    const up = async (): Promise<boolean> => (await health.ready()).status === 'ok';
    const ready = waitFor(up, { everyMs: 100, deadlineMs: sayAgainMs });
    if (await ready.catch(() => false)) break;
    logger.warn({ waiting: (await health.ready()).error }, 'not ready yet');
  }
  const others = Object.entries(ports?.(app) ?? {}).map(([what, port]) => `, ${what} ${port}`);
  console.log(`${name} is ready: http ${url}${others.join('')}`);
}
