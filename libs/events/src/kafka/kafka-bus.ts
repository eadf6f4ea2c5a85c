import { newId, type BackoffOptions } from '@glacis/runtime';
import type { Logger } from '@glacis/observability';
import {
  BusClosedError,
  type BusDriver,
  type BusMessage,
  type Deliver,
  type GroupLag,
  type Hear,
} from '../bus.js';
import { Lane } from '../lane.js';
import { within } from '../within.js';
import type { BusMetrics } from '../metrics/bus-metrics.js';
import { GroupConsumer } from './group-consumer.js';
import {
  heartbeatMs,
  KafkaClients,
  type Admin,
  type Batch,
  type KafkaMessage,
  type Producer,
} from './kafka-client.js';
import type { KafkaSettings } from './kafka-settings.js';
import { Listener } from './listener.js';
import { Membership, type MembershipOptions } from './membership.js';
import { Publisher } from './publisher.js';
import { fromRecord } from './record.js';
import { Renewable } from './renewable.js';
import { Topics } from './topics.js';

export interface KafkaBusOptions {
  settings: KafkaSettings;
  logger: Logger;
  metrics: BusMetrics;
  /** Messages of one send and of one delivery at most. Default 256. */
  maxBatch?: number;
  /** Delay before a refused send or delivery is made again. Default 100 ms, doubled up to 2 s. */
  backoff?: BackoffOptions;
}

/** Milliseconds that a client may take for one piece of work, the connecting included. */
const workLimitMs = 15_000;
/** A start does not wait longer for brokers that are away: readiness tells, and joining goes on in the background. */
const joinLimitMs = 10_000;
const pingLimitMs = 1_500;
const closeLimitMs = 2_000;

interface Group {
  topics: readonly string[];
  consumer: GroupConsumer;
  membership: Membership;
}

/**
 * The bus of the distributed form. Topics and consumer groups bear the names of the contracts behind a common prefix;
 * a group begins at the first record that is kept, a listener at the end.
 */
export class KafkaBus implements BusDriver {
  private readonly clients: KafkaClients;
  private readonly admin: Renewable<Admin>;
  private readonly producer: Renewable<Producer>;
  private readonly topics: Topics;
  private readonly publisher: Publisher;
  private readonly groups = new Map<string, Group>();
  private readonly listeners: Membership[] = [];
  private readonly backoff: BackoffOptions;
  private closed = false;

  /** @throws {SettingsError} when TLS or login lack something */
  constructor(private readonly options: KafkaBusOptions) {
    const { settings, logger } = options;
    this.backoff = options.backoff ?? { initialMs: 100, factor: 2, maxMs: 2_000, jitter: 0.2 };
    this.clients = new KafkaClients(settings, logger);
    this.admin = new Renewable(() => this.clients.admin(), workLimitMs);
    this.producer = new Renewable(() => this.clients.producer(), workLimitMs);
    this.topics = new Topics(this.admin, settings, logger);
    this.publisher = new Publisher({
      topics: this.topics,
      producer: this.producer,
      maxBatch: this.maxBatch,
      backoff: this.backoff,
      onRefused: (topic, error, attempt) => {
        options.metrics.publishFailed(topic);
        logger.warn({ err: error, topic, attempt }, 'events not published, will be tried again');
      },
    });
  }

  async publish(messages: readonly BusMessage[]): Promise<void> {
    await this.publisher.publish(messages);
  }

  async subscribe(group: string, topics: readonly string[], deliver: Deliver): Promise<void> {
    if (this.groups.has(group)) throw new Error(`consumer group ${group} has joined already`);
    const consumer = new GroupConsumer({
      newLane: () => this.newLane(group, deliver),
      read: (batch, records) => this.read(batch, records),
      atOnce: this.maxBatch,
      heartbeatMs: heartbeatMs(this.options.settings),
    });
    const membership = this.newMembership(this.options.settings.prefix + group, topics, {
      fromBeginning: true,
      prepare: () => this.ensure(topics),
      onJoin: () => {
        this.options.metrics.rebalanced(group);
        consumer.onJoin();
      },
      onBatch: (payload) => consumer.onBatch(payload),
    });
    this.groups.set(group, { topics, consumer, membership });
    await this.joined(membership, group);
  }

  async listen(topics: readonly string[], hear: Hear): Promise<void> {
    const listener = new Listener(hear, (batch, records) => this.read(batch, records));
    const membership = this.newMembership(
      `${this.options.settings.prefix}listen.${newId()}`,
      topics,
      {
        fromBeginning: false,
        prepare: async () => {
          await this.ensure(topics);
          await this.admin.use(async (admin) => {
            for (const topic of topics) await listener.begin(admin, this.topics.nameOf(topic));
          });
        },
        onJoin: (consumer) => listener.onJoin(consumer),
        onBatch: (payload) => listener.onBatch(payload),
      },
    );
    this.listeners.push(membership);
    await this.joined(membership, 'listener');
  }

  async check(): Promise<void> {
    await this.ping();
    for (const [group, { membership }] of this.groups) {
      if (membership.trouble !== undefined) {
        throw new Error(`consumer group ${group}: ${membership.trouble}`);
      }
    }
    const deaf = this.listeners.find(({ trouble }) => trouble !== undefined);
    if (deaf) throw new Error(`listener: ${deaf.trouble ?? ''}`);
  }

  async lags(): Promise<GroupLag[]> {
    const lags = [...this.groups].map(([group, { topics }]) =>
      Promise.all(topics.map((topic) => this.lagOf(group, topic))),
    );
    return (await within(pingLimitMs, Promise.all(lags))).flat();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const groups = [...this.groups.values()];
    const lanes = [this.publisher.close(), ...groups.map(({ consumer }) => consumer.close())];
    await within(closeLimitMs, Promise.all(lanes)).catch((error: unknown) =>
      this.options.logger.warn({ err: error }, 'bus closed during a delivery'),
    );
    const members = [...groups.map(({ membership }) => membership), ...this.listeners];
    await Promise.all(members.map((member) => member.close()));
    const clients = [this.producer.close(), this.admin.close()];
    await within(closeLimitMs, Promise.all(clients)).catch(() => undefined);
  }

  private get maxBatch(): number {
    return this.options.maxBatch ?? 256;
  }

  private newLane(group: string, deliver: Deliver): Lane {
    const { logger } = this.options;
    return new Lane({
      deliver,
      maxBatch: this.maxBatch,
      backoff: this.backoff,
      onRefused: (error, attempt) =>
        logger.warn({ err: error, group, attempt }, 'events not taken, will be delivered again'),
    });
  }

  private newMembership(
    groupId: string,
    topics: readonly string[],
    own: Pick<MembershipOptions, 'fromBeginning' | 'prepare' | 'onJoin' | 'onBatch'>,
  ): Membership {
    if (this.closed) throw new BusClosedError();
    return new Membership({
      groupId,
      topics: topics.map((topic) => this.topics.nameOf(topic)),
      newConsumer: () => this.clients.consumer(groupId),
      ping: () => this.ping(),
      stallMs: 4 * this.options.settings.sessionTimeout,
      backoff: this.backoff,
      logger: this.options.logger,
      ...own,
    });
  }

  private async joined(membership: Membership, group: string): Promise<void> {
    await within(joinLimitMs, membership.start()).catch((error: unknown) =>
      this.options.logger.warn({ err: error, group }, 'consumer group not joined yet'),
    );
  }

  private async ensure(topics: readonly string[]): Promise<void> {
    for (const topic of topics) await this.topics.partitions(topic);
  }

  private async ping(): Promise<void> {
    await within(
      pingLimitMs,
      this.admin.use((admin) => admin.describeCluster()),
    );
  }

  /** What is no event of ours is passed over: nobody could ever handle it. */
  private read(batch: Batch, records: readonly KafkaMessage[]): BusMessage[] {
    const topic = batch.topic.slice(this.options.settings.prefix.length);
    return records.flatMap((record) => {
      const message = fromRecord(topic, record);
      if (message) return [message];
      const { offset } = record;
      const { partition } = batch;
      this.options.logger.warn({ topic, partition, offset }, 'record is no event, passed over');
      return [];
    });
  }

  private async lagOf(group: string, topic: string): Promise<GroupLag> {
    const name = this.topics.nameOf(topic);
    return this.admin.use(async (admin) => {
      const ends = await admin.fetchTopicOffsets(name);
      const groupId = this.options.settings.prefix + group;
      const [own] = await admin.fetchOffsets({ groupId, topics: [name] });
      const committed = new Map(
        own?.partitions.map((each) => [each.partition, BigInt(each.offset)]),
      );
      const messages = ends
        .map(({ partition, high, low }) => {
          const offset = committed.get(partition) ?? -1n;
          return BigInt(high) - (offset < 0n ? BigInt(low) : offset);
        })
        .reduce((sum, lag) => sum + (lag > 0n ? lag : 0n), 0n);
      return { group, topic, messages: Number(messages) };
    });
  }
}
