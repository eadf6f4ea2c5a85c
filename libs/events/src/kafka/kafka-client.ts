import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { Logger } from '@glacis/observability';
import { SettingsError } from '@glacis/settings';
import kafkajs, {
  type Admin,
  type Consumer,
  type KafkaConfig,
  type LogEntry,
  type Producer,
  type SASLOptions,
} from 'kafkajs';
import type { KafkaSettings } from './kafka-settings.js';

export type { Admin, Batch, Consumer, EachBatchPayload, KafkaMessage, Producer } from 'kafkajs';

/** Milliseconds that one request to a broker may take. */
const requestLimitMs = 10_000;
/** Milliseconds that a broker may wait for more before it answers a fetch; also how long a consumer takes to stop. */
const fetchWaitMs = 100;
/** Bytes of one partition in one fetch. */
const fetchBytes = 1 << 20;

/**
 * Makes clients of Kafka, each on connections of its own: kafkajs shares the committed offsets among the consumers of
 * one `Kafka`. This is the only file that imports kafkajs.
 */
export class KafkaClients {
  private readonly config: KafkaConfig;

  /** @throws {SettingsError} when TLS or login lack something */
  constructor(
    private readonly settings: KafkaSettings,
    private readonly logger: Logger,
  ) {
    this.config = configOf(settings, logger);
  }

  producer(): Producer {
    return this.newKafka().producer({
      allowAutoTopicCreation: false,
      // We choose the partition ourselves, so that one send is one partition.
      createPartitioner: () => (args) => args.message.partition ?? 0,
      retry: { retries: 0 },
    });
  }

  admin(): Admin {
    return this.newKafka().admin();
  }

  consumer(groupId: string): Consumer {
    const sessionTimeout = this.settings.sessionTimeout;
    return this.newKafka().consumer({
      groupId,
      sessionTimeout,
      rebalanceTimeout: 2 * sessionTimeout,
      heartbeatInterval: heartbeatMs(this.settings),
      allowAutoTopicCreation: false,
      minBytes: 1,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytesPerPartition: fetchBytes,
      // It holds on to its membership through an outage; when it gives up, `Membership` makes another consumer.
      retry: { retries: 200, restartOnFailure: async () => false },
    });
  }

  private newKafka(): kafkajs.Kafka {
    return new kafkajs.Kafka({ ...this.config, ...securityOf(this.settings) });
  }
}

/** Milliseconds between two signs of life of a consumer: also how late it may learn of a rebalance. */
export function heartbeatMs({ sessionTimeout }: { sessionTimeout: number }): number {
  return Math.min(500, sessionTimeout / 4);
}

const partitioner = kafkajs.Partitioners.DefaultPartitioner();
const metadataOf = new Map<number, kafkajs.PartitionMetadata[]>();

/** The partition of a key, as Kafka's own clients choose it (murmur2). */
export function partitionOf(key: string, count: number): number {
  const partitionMetadata = metadataOf.get(count) ?? Array.from({ length: count }, partitionNumber);
  metadataOf.set(count, partitionMetadata);
  return partitioner({ topic: '', partitionMetadata, message: { key, value: null } });
}

function partitionNumber(_: unknown, partitionId: number): kafkajs.PartitionMetadata {
  return { partitionId, partitionErrorCode: 0, leader: 0, replicas: [], isr: [] };
}

function configOf(settings: KafkaSettings, logger: Logger): KafkaConfig {
  securityOf(settings);
  return {
    brokers: settings.brokers,
    clientId: settings.clientId,
    connectionTimeout: 2_000,
    authenticationTimeout: 5_000,
    requestTimeout: requestLimitMs,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 4 },
    // What it calls an error is mostly made good a moment later; what is not, we report ourselves.
    logLevel: kafkajs.logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log }: LogEntry): void => {
        logger.debug(
          { namespace, reason: log.message, groupId: log['groupId'] },
          'kafkajs reports',
        );
      },
  };
}

/** Read for each client anew, so that renewed certificates and passwords are taken up. */
function securityOf(settings: KafkaSettings): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  return { ssl: tlsOf(settings), sasl: saslOf(settings) };
}

function tlsOf(settings: KafkaSettings): ConnectionOptions | undefined {
  const { tls, tlsCaFile, tlsCertFile, tlsKeyFile } = settings;
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
    throw bad('TLS_KEY_FILE', 'a client certificate needs both its file and that of its key');
  }
  if (!tls) {
    if (tlsCaFile ?? tlsCertFile)
      throw bad('TLS', 'files for TLS are given, but it is switched off');
    return undefined;
  }
  return {
    ca: tlsCaFile && readOr('TLS_CA_FILE', tlsCaFile),
    cert: tlsCertFile && readOr('TLS_CERT_FILE', tlsCertFile),
    key: tlsKeyFile && readOr('TLS_KEY_FILE', tlsKeyFile),
  };
}

function saslOf(settings: KafkaSettings): SASLOptions | undefined {
  const { saslMechanism: mechanism, saslUser: username, saslPasswordFile } = settings;
  if (mechanism === 'none') return undefined;
  if (username === undefined) throw bad('SASL_USER', 'a login needs a user');
  const password =
    settings.saslPassword ??
    (saslPasswordFile && readOr('SASL_PASSWORD_FILE', saslPasswordFile).toString().trim());
  if (!password) throw bad('SASL_PASSWORD', 'a login needs a password, or a file with it');
  return { mechanism, username, password };
}

function readOr(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw bad(name, (error as Error).message);
  }
}

function bad(name: string, reason: string): SettingsError {
  return new SettingsError([{ name: `GLACIS_KAFKA_${name}`, reason }]);
}
