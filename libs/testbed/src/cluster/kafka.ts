import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { Daemon } from './daemon.js';
import { faultProxy, type FaultProxy } from './fault-proxy.js';
import { kafkaClassPath } from './kafka-home.js';
import {
  brokerProperties,
  scramArguments,
  type BrokerPorts,
  type ClusterPlan,
  type SaslUser,
} from './kafka-properties.js';
import { makeTlsFiles, type ClientTlsFiles } from './kafka-tls.js';
import { freePorts } from './ports.js';
import { requireProgram } from './programs.js';

const loopback = '127.0.0.1';

export interface KafkaOptions {
  /** Three keep every message in three places and survive the loss of one broker. Default 1. */
  brokers?: 1 | 3;
  /** An address of this machine on which clients come. Default 127.0.0.1. */
  host?: string;
  /** Clients sign in as this user, by SCRAM-SHA-256 or -512. Default: nobody signs in. */
  sasl?: SaslUser;
  /** Clients connect by mutual TLS, with the files of `tls` in the result. Default false. */
  tls?: boolean;
  /** Opens a second way for clients, `proxied`, whose network can fail. Default false. */
  proxied?: boolean;
}

/** Another way to the same brokers, which goes through a proxy for each of them. */
export interface ProxiedKafka extends Pick<FaultProxy, 'cut' | 'heal' | 'reset' | 'delay'> {
  brokers: string[];
}

export interface KafkaCluster {
  /** `host:port` of each, for `KAFKA_BROKERS`. */
  brokers: string[];
  /** For clients, when `tls` was asked for. */
  tls?: ClientTlsFiles;
  proxied?: ProxiedKafka;
  /** By its place in `brokers`. */
  broker(index: number): Daemon;
  /** Ends them all and removes what they have stored. */
  stop(): Promise<void>;
}

/**
 * Starts an Apache Kafka of its own in KRaft mode, in a folder that goes with it. The first start on a machine fetches
 * Kafka; later ones take 2 to 8 s.
 * @throws {MissingProgramError} without Java or, for the first start, Maven
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const java = await requireProgram('java', 'openjdk-17-jre-headless');
  const classPath = await kafkaClassPath();
  const folder = await mkdtemp(join(tmpdir(), 'glacis-kafka-'));
  const places = await planPlaces(options);
  const proxies = places.flatMap(({ proxy }) => proxy ?? []);
  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => {
    // In good order the last ones would wait for a majority that is gone.
    await Promise.all(daemons.map((daemon) => daemon.kill()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const tls = options.tls ? await makeTlsFiles(folder) : undefined;
    const host = options.host ?? loopback;
    const plan = { host, brokers: places.map(({ ports }) => ports), sasl: options.sasl, tls };
    const recipe = { java, classPath, plan, clusterId: randomBytes(16).toString('base64url') };
    daemons.push(
      ...(await Promise.all(
        places.map((_, index) =>
          makeBroker({ ...recipe, index, folder: join(folder, `${index}`) }),
        ),
      )),
    );
    await Promise.all(daemons.map((daemon) => daemon.start()));
    return {
      brokers: plan.brokers.map(({ client }) => `${host}:${client}`),
      tls: tls?.client,
      proxied: options.proxied ? throughProxies(proxies) : undefined,
      broker: (index) => daemons[index] ?? fail(`there is no broker ${index}`),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Place {
  ports: BrokerPorts;
  proxy?: FaultProxy;
}

async function planPlaces({ brokers = 1, proxied = false }: KafkaOptions): Promise<Place[]> {
  return Promise.all(
    Array.from({ length: brokers }, async () => {
      const [client = 0, internal = 0, controller = 0, listen = 0] = await freePorts(4);
      const ports = { client, internal, controller };
      if (!proxied) return { ports };
      const proxy = await faultProxy({ port: listen });
      return { ports: { ...ports, proxied: { listen, advertise: proxy.port } }, proxy };
    }),
  );
}

function throughProxies(proxies: FaultProxy[]): ProxiedKafka {
  return {
    brokers: proxies.map(({ port }) => `${loopback}:${port}`),
    cut: () => proxies.forEach((proxy) => proxy.cut()),
    heal: () => proxies.forEach((proxy) => proxy.heal()),
    reset: () => proxies.forEach((proxy) => proxy.reset()),
    delay: (ms) => proxies.forEach((proxy) => proxy.delay(ms)),
  };
}

interface BrokerRecipe {
  java: string;
  classPath: string;
  plan: ClusterPlan;
  index: number;
  clusterId: string;
  folder: string;
}

/** Formats its storage; it does not run yet. */
async function makeBroker(recipe: BrokerRecipe): Promise<Daemon> {
  const { java, classPath, plan, index, clusterId, folder } = recipe;
  await mkdir(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  await writeFile(properties, brokerProperties(plan, index, join(folder, 'log')), { mode: 0o600 });
  const heap = plan.brokers.length > 1 ? '-Xmx256m' : '-Xmx128m';
  const jvm = [heap, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath];
  const users = plan.sasl ? scramArguments(plan.sasl) : [];
  await runCommand(java, [
    ...jvm,
    'kafka.tools.StorageTool',
    'format',
    // In one word, as it may begin with a dash.
    `--cluster-id=${clusterId}`,
    '-c',
    properties,
    ...users,
  ]);
  const logLevel = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
  const readyLine = '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info';
  return new Daemon({
    name: `Kafka broker ${index}`,
    file: java,
    args: [...jvm, logLevel, readyLine, 'kafka.Kafka', properties],
    logFile: join(folder, 'broker.log'),
    ready: (log) => log.includes('Kafka Server started'),
    startDeadlineMs: 180_000,
  });
}

function fail(message: string): never {
  throw new RangeError(message);
}
