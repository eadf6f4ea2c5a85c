import { startKafka } from './kafka.js';
import { startKubernetes, type KubernetesOptions } from './kubernetes/kubernetes.js';
import { startPostgres } from './postgres.js';

interface StartedComponent {
  /** Of its variable. */
  value: string;
  stop(): Promise<void>;
}

interface Component {
  /** By which a service is told of it. */
  variable: string;
  start(): Promise<StartedComponent>;
}

/** The real components that one test run, or one `npm run testbed -- up`, shares. */
export const components = {
  kafka: { variable: 'KAFKA_BROKERS', start: singleBroker },
  postgres: { variable: 'DATABASE_URL', start: oneDatabase },
  kubernetes: { variable: 'KUBECONFIG', start: () => kubernetes() },
  cluster: { variable: 'KUBECONFIG', start: () => kubernetes({ node: true }) },
} as const satisfies Record<string, Component>;

export type ComponentName = keyof typeof components;

export interface StartedComponents {
  /** The address of each by its variable. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/**
 * Starts what the environment does not name already; what it names is used as it is.
 * @throws {Error} when one does not start, with the others stopped again
 */
export async function startComponents(names: ComponentName[]): Promise<StartedComponents> {
  const results = await Promise.allSettled(names.map(startUnlessGiven));
  const started = results.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((each) => each.stop()));
  };
  const failed = results.find((each) => each.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { env: Object.fromEntries(started.map(({ variable, value }) => [variable, value])), stop };
}

async function startUnlessGiven(
  name: ComponentName,
): Promise<StartedComponent & { variable: string }> {
  const { variable, start } = components[name];
  const given = process.env[variable];
  const started = given ? { value: given, stop: async () => undefined } : await start();
  return { variable, ...started };
}

async function singleBroker(): Promise<StartedComponent> {
  const kafka = await startKafka();
  return { value: kafka.brokers.join(), stop: () => kafka.stop() };
}

async function oneDatabase(): Promise<StartedComponent> {
  const postgres = await startPostgres();
  return { value: await postgres.createDatabase('glacis'), stop: () => postgres.stop() };
}

async function kubernetes(options?: KubernetesOptions): Promise<StartedComponent> {
  const cluster = await startKubernetes(options);
  return { value: cluster.admin.file, stop: () => cluster.stop() };
}
