import type { Logger } from '@glacis/observability';
import { KafkaClients, type Admin } from './kafka-client.js';
import type { KafkaSettings } from './kafka-settings.js';
import { Renewable } from './renewable.js';

/** What is wanted of a topic. */
export interface TopicWish {
  /** 1 at least; a topic can get more of them and never fewer. */
  partitions: number;
  /** `retention.ms`; -1: for ever; absent: what the broker has, also where it was set before. */
  retentionMs?: number;
}

/** Of `DescribeConfigs`: set for this topic, in place of a default. */
const setOnTopic = 1;
/** Of resources in `DescribeConfigs` and `AlterConfigs`. */
const topicResource = 2;

/** A topic has more partitions than are wanted, and keeps them: what they hold would be lost. Ask for as many. */
export class FewerPartitionsError extends Error {
  override readonly name = 'FewerPartitionsError';

  constructor(topic: string, there: number, wanted: number) {
    super(`the topic ${topic} has ${there} partitions, and ${wanted} are fewer`);
  }
}

/**
 * Topics that belong to others than the bus: made, changed, looked at and removed by name. Every call ends within the time
 * that it is given, and throws what kafkajs throws.
 */
export class TopicAdmin {
  private readonly admin: Renewable<Admin>;

  /** @param limitMs milliseconds of a call, the connecting included */
  constructor(settings: KafkaSettings, options: { logger: Logger; limitMs: number }) {
    const clients = new KafkaClients(settings, options.logger);
    this.admin = new Renewable(() => clients.admin(), options.limitMs);
  }

  /** Its partitions; undefined where there is no such topic. */
  async partitionsOf(topic: string): Promise<number | undefined> {
    const topics = await this.admin.use((admin) => admin.listTopics());
    if (!topics.includes(topic)) return undefined;
    const metadata = await this.admin.use((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    return metadata.topics[0]?.partitions.length;
  }

  /**
   * Makes the topic, or brings it to what is wanted.
   * @throws {FewerPartitionsError} leaving it as it is
   */
  async ensure(topic: string, wish: TopicWish): Promise<void> {
    const there = await this.partitionsOf(topic);
    if (there === undefined) return this.create(topic, wish);
    const { partitions, retentionMs } = wish;
    if (partitions < there) throw new FewerPartitionsError(topic, there, partitions);
    if (partitions > there) {
      const wider = [{ topic, count: partitions }];
      await this.admin.use((admin) => admin.createPartitions({ topicPartitions: wider }));
    }
    if (retentionMs !== undefined) await this.retain(topic, String(retentionMs));
  }

  /** One that is not there counts as removed. */
  async remove(topic: string): Promise<void> {
    if ((await this.partitionsOf(topic)) === undefined) return;
    await this.admin.use((admin) => admin.deleteTopics({ topics: [topic] }));
  }

  async close(): Promise<void> {
    await this.admin.close();
  }

  /** By the copies that the broker gives where nobody says how many. */
  private async create(topic: string, { partitions, retentionMs }: TopicWish): Promise<void> {
    const configEntries =
      retentionMs === undefined ? [] : [{ name: 'retention.ms', value: String(retentionMs) }];
    const wanted = { topic, numPartitions: partitions, replicationFactor: -1, configEntries };
    await this.admin.use((admin) =>
      admin.createTopics({ waitForLeaders: false, topics: [wanted] }),
    );
  }

  /** `AlterConfigs` takes everything that is set on a topic for a default again unless it is sent along. */
  private async retain(topic: string, value: string): Promise<void> {
    await this.admin.use(async (admin) => {
      const resource = { type: topicResource, name: topic };
      const { resources } = await admin.describeConfigs({
        resources: [resource],
        includeSynonyms: false,
      });
      const set = (resources[0]?.configEntries ?? [])
        .filter(({ configSource }) => (configSource as number) === setOnTopic)
        .map((entry) => ({ name: entry.configName, value: entry.configValue }));
      if (set.some((entry) => entry.name === 'retention.ms' && entry.value === value)) return;
      const others = set.filter(({ name }) => name !== 'retention.ms');
      const configEntries = [...others, { name: 'retention.ms', value }];
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ ...resource, configEntries }],
      });
    });
  }
}
