import { testDatabase } from '@glacis/testbed';
import { sharedKafka, startSuite, type ServiceName, type Suite } from '@glacis/testbed/cluster';
import { randomBytes } from 'node:crypto';
import { Api } from '../src/demo/api.js';
import type { RunningSuite } from './running-suite.js';

/** Separate processes, two replicas of each service, on a real Kafka and Postgres. */
export interface DistributedSuite extends RunningSuite {
  replicas: Suite;
  databaseUrl: string;
}

export interface DistributedOptions {
  /** More settings for all of them. */
  settings?: Record<string, string>;
  /** More settings for one replica. */
  replicaSettings?: (service: ServiceName, index: number) => Record<string, string>;
}

export async function startDistributed(
  options: DistributedOptions = {},
): Promise<DistributedSuite> {
  const database = await testDatabase();
  const shared = {
    DATABASE_URL: database.url,
    KAFKA_BROKERS: sharedKafka().join(),
    // Other tests use the same brokers.
    GLACIS_KAFKA_PREFIX: `test-${randomBytes(6).toString('hex')}.`,
    ...options.settings,
  };
  const replicas = await startSuite({
    env: (service, index) => ({ ...shared, ...options.replicaSettings?.(service, index) }),
  });
  const [door = ''] = replicas.urls.gateway;
  const [managers = ''] = replicas.managers;
  const { token, tokenFile } = replicas;
  return {
    replicas,
    databaseUrl: database.url,
    door,
    managers,
    token,
    tokenFile,
    api: new Api(door, token),
    close: async () => {
      await replicas.stop();
      await database.drop();
    },
  };
}
