import type { Logger } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import type { Admin } from './kafka-client.js';
import type { KafkaSettings } from './kafka-settings.js';
import type { Renewable } from './renewable.js';

/** Copies of a topic that nobody has decided on. */
const wantedCopies = 3;
/** A log gives up whole segments only, so an event outlives the retention by so much at most. */
const segmentMs = 24 * 3_600_000;
/** Bytes of one batch that a topic takes. The outbox bounds an event well below. */
const maxBatchBytes = 8 << 20;
const leadersLimitMs = 10_000;

type TopicMetadata = Awaited<ReturnType<Admin['fetchTopicMetadata']>>['topics'][number];

/** The topics of the bus: looked up when they are first needed, and made where they are missing. */
export class Topics {
  private readonly counts = new Map<string, Promise<number>>();

  constructor(
    private readonly admin: Renewable<Admin>,
    private readonly settings: KafkaSettings,
    private readonly logger: Logger,
  ) {}

  /** Its name on the brokers. */
  nameOf(topic: string): string {
    return this.settings.prefix + topic;
  }

  /**
   * How many partitions it has, once it is there. That number is kept: it decides on the partition of a key, and so on
   * the order of its events.
   */
  async partitions(topic: string): Promise<number> {
    const known = this.counts.get(topic);
    if (known) return known;
    const count = this.ensure(this.nameOf(topic));
    this.counts.set(topic, count);
    count.catch(() => this.counts.delete(topic));
    return count;
  }

  private async ensure(name: string): Promise<number> {
    const existing = await this.admin.use((admin) => admin.listTopics());
    if (!existing.includes(name)) await this.create(name);
    const found = await waitFor(() => this.admin.use((admin) => ledTopic(admin, name)), {
      what: `leaders of the topic ${name}`,
      deadlineMs: leadersLimitMs,
    });
    return found.partitions.length;
  }

  /** Harmless when another replica was faster. */
  private async create(name: string): Promise<void> {
    const { partitions, replication, minIsr, retention } = this.settings;
    await this.admin.use(async (admin) => {
      const { brokers } = await admin.describeCluster();
      const copies = replication || Math.min(wantedCopies, brokers.length);
      const config = {
        'min.insync.replicas': minIsr || Math.max(1, copies - 1),
        'retention.ms': retention,
        'segment.ms': Math.min(segmentMs, retention),
        'max.message.bytes': maxBatchBytes,
      };
      const made = await admin.createTopics({
        waitForLeaders: false,
        topics: [
          {
            topic: name,
            numPartitions: partitions,
            replicationFactor: copies,
            configEntries: Object.entries(config).map(([key, value]) => ({
              name: key,
              value: String(value),
            })),
          },
        ],
      });
      if (made) this.logger.info({ topic: name, partitions, copies }, 'topic made');
    });
  }
}

/** The topic when every partition has a leader. */
async function ledTopic(admin: Admin, name: string): Promise<TopicMetadata | undefined> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const found = topics.find((topic) => topic.name === name);
  return found?.partitions.every(({ leader }) => leader >= 0) ? found : undefined;
}
