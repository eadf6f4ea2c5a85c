import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type BackoffOptions } from '@glacis/runtime';
import { BusClosedError, type BusMessage } from '../bus.js';
import { Lane } from '../lane.js';
import { partitionOf, type Producer } from './kafka-client.js';
import { toRecord, type KafkaRecord } from './record.js';
import type { Renewable } from './renewable.js';
import type { Topics } from './topics.js';

export interface PublisherOptions {
  topics: Topics;
  producer: Renewable<Producer>;
  /** Messages of one send at most. */
  maxBatch: number;
  backoff: BackoffOptions;
  /** Told of every failed attempt. */
  onRefused: (topic: string, error: unknown, attempt: number) => void;
}

/** Bytes of one send, where it has more than one message. Brokers take 1 MiB where nobody configured them. */
const maxSendBytes = 512 * 1024;

/**
 * Publishes with a lane per partition: one send under way, of one partition, and its answer has to name that partition.
 * A send over several brokers would resolve although one of them never wrote its part, when a leader moves meanwhile.
 */
export class Publisher {
  private readonly lanes = new Map<string, Promise<Lane[]>>();
  private readonly closing = new AbortController();

  constructor(private readonly options: PublisherOptions) {}

  async publish(messages: readonly BusMessage[]): Promise<void> {
    if (this.closing.signal.aborted) throw new BusClosedError();
    const byTopic = groupBy(messages, ({ topic }) => topic);
    // Nothing is awaited before the lanes are asked, and always in the same number of steps: calls keep their order.
    await Promise.all(
      [...byTopic].map(([topic, own]) => this.lanesOf(topic).then((lanes) => pushAll(lanes, own))),
    );
  }

  /** Waits for the sends under way and refuses the rest. */
  async close(): Promise<void> {
    this.closing.abort();
    const all = await Promise.allSettled(this.lanes.values());
    const lanes = all.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    await Promise.all(lanes.map((lane) => lane.close()));
  }

  private lanesOf(topic: string): Promise<Lane[]> {
    const lanes = this.lanes.get(topic) ?? this.openLanes(topic);
    this.lanes.set(topic, lanes);
    return lanes;
  }

  private async openLanes(topic: string): Promise<Lane[]> {
    const { maxBatch, backoff, onRefused } = this.options;
    const count = await this.partitions(topic);
    return Array.from(
      { length: count },
      (_, partition) =>
        new Lane({
          deliver: (messages) => this.send(topic, partition, messages),
          maxBatch,
          backoff,
          onRefused: (error, attempt) => onRefused(topic, error, attempt),
        }),
    );
  }

  private async partitions(topic: string): Promise<number> {
    const { topics, backoff, onRefused } = this.options;
    const { signal } = this.closing;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await topics.partitions(topic);
      } catch (error) {
        onRefused(topic, error, attempt);
        await sleep(backoffMs(backoff, attempt), undefined, { signal }).catch(() => undefined);
      }
    }
    throw new BusClosedError();
  }

  private async send(
    topic: string,
    partition: number,
    messages: readonly BusMessage[],
  ): Promise<void> {
    const name = this.options.topics.nameOf(topic);
    for (const records of portions(messages.map(toRecord), maxSendBytes)) {
      const answers = await this.options.producer.use((producer) =>
        producer.send({
          topic: name,
          acks: -1,
          messages: records.map((record) => ({ ...record, partition })),
        }),
      );
      const written = answers.some(
        (answer) =>
          answer.topicName === name && answer.partition === partition && answer.errorCode === 0,
      );
      if (!written) throw new Error('the broker does not say that it wrote the partition');
    }
  }
}

async function pushAll(lanes: readonly Lane[], messages: readonly BusMessage[]): Promise<void> {
  const byPartition = groupBy(messages, ({ key }) => partitionOf(key, lanes.length));
  await Promise.all(
    [...byPartition].map(async ([partition, own]) => (lanes[partition] as Lane).push(own)),
  );
}

/** Splits into parts of at most so many bytes, or of one record that has more by itself. */
export function portions(records: readonly KafkaRecord[], maxBytes: number): KafkaRecord[][] {
  const parts: KafkaRecord[][] = [];
  let room = 0;
  for (const record of records) {
    const bytes = Buffer.byteLength(record.value) + Buffer.byteLength(record.key) + 256;
    const last = parts.at(-1);
    if (last && bytes <= room) {
      last.push(record);
      room -= bytes;
    } else {
      parts.push([record]);
      room = maxBytes - bytes;
    }
  }
  return parts;
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
