import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './daemon.js';
import { freeOffset } from './ports.js';

/** The programs of `examples/distributed`, with the environment that its files give them. */
const example = new URL('../../../../examples/distributed/deployment.mjs', import.meta.url);

interface Deployment {
  deployment(
    this: void,
    options: { replicas: number; dataDir: string; offset: number },
  ): ExampleProgram[];
}

interface ExampleProgram {
  name: string;
  service: ServiceName;
  replica: number;
  script: string;
  env: Record<string, string>;
}

export type ServiceName = 'certificates' | 'backends' | 'graph-apps' | 'jobs' | 'gateway';

export interface SuiteOptions {
  /** Of each service. Default 2. */
  replicas?: number;
  /**
   * What a replica is told beside the files of the example: at least `DATABASE_URL` and `KAFKA_BROKERS`.
   * @param index of the replica among those of its service, from 0
   */
  env: (service: ServiceName, index: number) => Record<string, string>;
}

/** The suite as separate processes. */
export interface Suite {
  /** `http://host:port` of the replicas of each service; the gateway's are the doors. */
  urls: Record<ServiceName, string[]>;
  /** `host:port` of each backends, for managers. */
  managers: string[];
  /** Of the first administrator. */
  token: string;
  tokenFile: string;
  replica(service: ServiceName, index: number): Daemon;
  /** Ends every replica in good order and removes the secrets. */
  stop(): Promise<void>;
}

/**
 * Starts every service as processes of their own, from the files of `examples/distributed`, on free ports.
 * @throws {Error} with the end of its log when one does not start
 */
export async function startSuite({ replicas = 2, env }: SuiteOptions): Promise<Suite> {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-suite-'));
  const dataDir = join(folder, 'data');
  const { deployment } = (await import(example.href)) as Deployment;
  const ports = deployment({ replicas, dataDir, offset: 0 }).flatMap(portsOf);
  const programs = deployment({ replicas, dataDir, offset: await freeOffset(ports) });
  const daemons = programs.map(
    ({ name, script, service, replica, env: given }) =>
      new Daemon({
        name,
        file: process.execPath,
        args: [script],
        env: { ...process.env, NODE_ENV: 'production', ...given, ...env(service, replica) },
        logFile: join(folder, `${name}.log`),
        ready: (log) => log.includes(`${service} is ready`),
        startDeadlineMs: 120_000,
      }),
  );
  const stop = async (): Promise<void> => {
    const ends = await Promise.allSettled(daemons.map((daemon) => daemon.stop()));
    await rm(folder, { recursive: true, force: true });
    const failed = ends.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  };
  const httpOf = (variable: string): string[] =>
    addresses(programs, variable).map((each) => `http://${each}`);
  try {
    await Promise.all(daemons.map((daemon) => daemon.start()));
    const tokenFile = join(dataDir, 'gateway', 'admin.token');
    return {
      urls: {
        certificates: httpOf('GLACIS_CERTS_HTTP_PORT'),
        backends: httpOf('GLACIS_BACKENDS_HTTP_PORT'),
        'graph-apps': httpOf('GLACIS_GRAPH_APPS_HTTP_PORT'),
        jobs: httpOf('GLACIS_JOBS_HTTP_PORT'),
        gateway: httpOf('GLACIS_GATEWAY_HTTP_PORT'),
      },
      managers: addresses(programs, 'GLACIS_BACKENDS_MANAGER_PORT'),
      token: (await readFile(tokenFile, 'utf8')).trim(),
      tokenFile,
      replica: (service, index) => {
        const at = programs.findIndex((each) => each.service === service && each.replica === index);
        return daemons[at] ?? fail(`there is no replica ${index} of ${service}`);
      },
      stop,
    };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

function portsOf({ env }: ExampleProgram): number[] {
  return Object.entries(env)
    .filter(([name]) => name.endsWith('_PORT'))
    .map(([, port]) => Number(port));
}

function addresses(programs: ExampleProgram[], variable: string): string[] {
  const ports = programs.flatMap(({ env }) => env[variable] ?? []);
  return ports.map((port) => `127.0.0.1:${port}`);
}

function fail(message: string): never {
  throw new RangeError(message);
}
