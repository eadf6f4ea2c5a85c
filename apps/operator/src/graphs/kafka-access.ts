import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChartSource, ClusterView } from '@glacis/graphs';
import { writeSecretFile } from '@glacis/runtime';

/** The brokers that graphs use: configured ones, else those of the graph that provides Kafka; empty where there are none. */
export function kafkaBootstrapOf(
  { kafkaBootstrap }: { kafkaBootstrap?: string },
  cluster: Pick<ClusterView, 'providersOf'>,
  operatorNamespace: string,
): string {
  if (kafkaBootstrap) return kafkaBootstrap;
  const [provider] = cluster.providersOf('kafka');
  return provider ? `component-kafka.${operatorNamespace}-infra-kafka.svc.cluster.local:9092` : '';
}

export interface KafkaSecretOptions {
  /** Of the Secret; empty: none. */
  name: string;
  operatorNamespace: string;
  secret: ChartSource['secret'];
  /** Its files are written here. */
  workdir: string;
}

const files = { tlsCaFile: 'ca.crt', tlsCertFile: 'tls.crt', tlsKeyFile: 'tls.key' } as const;

/**
 * TLS and login of the admin client, as settings of `@glacis/events`: the keys `ca.crt`, `tls.crt` and `tls.key` are PEM
 * files, `mechanism`, `username` and `password` log in by SCRAM.
 */
export function kafkaSecurityReader(
  options: KafkaSecretOptions,
): () => Promise<Record<string, string>> {
  return async () => {
    const { name, operatorNamespace, secret, workdir } = options;
    if (name === '') return {};
    const data = await secret(operatorNamespace, name);
    if (!data) throw new Error(`there is no Secret ${name} in ${operatorNamespace}`);
    const folder = join(workdir, '.kafka');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const settings: Record<string, string> = {};
    for (const [setting, key] of Object.entries(files)) {
      const text = data[key];
      if (text === undefined) continue;
      settings[setting] = join(folder, key);
      await writeSecretFile(join(folder, key), text);
      settings['tls'] = 'true';
    }
    const { mechanism = 'scram-sha-512', username, password } = data;
    if (username === undefined) return settings;
    const login = {
      saslMechanism: mechanism.toLowerCase(),
      saslUser: username,
      saslPassword: password ?? '',
    };
    return { ...settings, ...login };
  };
}
