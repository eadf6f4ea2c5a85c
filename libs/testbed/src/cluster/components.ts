import { buildGlacisImage } from './glacis-image.js';
import { startKafka } from './kafka.js';
import { helmProgram, kubernetesProgram } from './kubernetes/kubernetes-programs.js';
import { startKubernetes } from './kubernetes/kubernetes.js';
import { startPostgres } from './postgres.js';
import { startSharedCluster } from './shared-cluster.js';

interface StartedComponent {
  /** Of its variable. */
  value: string;
  /** What to do with it, for people. */
  hints?: string[];
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
  kubernetes: { variable: 'KUBECONFIG', start: controlPlane },
  cluster: { variable: 'KUBECONFIG', start: clusterWithImage },
} as const satisfies Record<string, Component>;

export type ComponentName = keyof typeof components;

export interface StartedComponents {
  /** The address of each by its variable. */
  env: Record<string, string>;
  hints: string[];
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
  const env = Object.fromEntries(started.map(({ variable, value }) => [variable, value]));
  return { env, hints: started.flatMap(({ hints = [] }) => hints), stop };
}

async function startUnlessGiven(
  name: ComponentName,
): Promise<StartedComponent & { variable: string }> {
  const { variable, start } = components[name];
  const given = process.env[variable];
  const started: StartedComponent = given
    ? { value: given, stop: async () => undefined }
    : await start();
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

async function controlPlane(): Promise<StartedComponent> {
  const cluster = await startKubernetes();
  const hints = [`${await kubernetesProgram('kubectl')} get namespaces`];
  return { value: cluster.admin.file, hints, stop: () => cluster.stop() };
}

async function clusterWithImage(): Promise<StartedComponent> {
  const image = await buildGlacisImage();
  try {
    const { value, stop } = await startSharedCluster(image.value);
    const tag = value.image.split(':').at(-1) ?? '';
    const hints = [
      `${await helmProgram()} install glacis charts/glacis --wait --set image.tag=${tag}`,
      `${await kubernetesProgram('kubectl')} get pods`,
    ];
    return { value: value.cluster.admin.file, hints, stop };
  } finally {
    await image.stop();
  }
}
