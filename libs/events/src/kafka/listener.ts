import type { BusMessage, Hear } from '../bus.js';
import type { Admin, Batch, Consumer, EachBatchPayload, KafkaMessage } from './kafka-client.js';

/**
 * Where a listener is in each partition: at first at the end, as it was when it began to listen. It commits nothing, so
 * its group leaves nothing behind, and it goes on from here after every rebalance and with every new consumer.
 */
export class Listener {
  private readonly positions = new Map<string, Map<number, bigint>>();

  constructor(
    private readonly hear: Hear,
    private readonly read: (batch: Batch, records: readonly KafkaMessage[]) => BusMessage[],
  ) {}

  /** Takes the end of a topic as the place to begin, unless it has one. */
  async begin(admin: Admin, topic: string): Promise<void> {
    if (this.positions.has(topic)) return;
    const ends = await admin.fetchTopicOffsets(topic);
    this.positions.set(
      topic,
      new Map(ends.map(({ partition, high }) => [partition, BigInt(high)])),
    );
  }

  onJoin(consumer: Consumer): void {
    for (const [topic, partitions] of this.positions) {
      for (const [partition, offset] of partitions) {
        consumer.seek({ topic, partition, offset: String(offset) });
      }
    }
  }

  async onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    this.read(batch, batch.messages).forEach((message) => this.hear(message));
    const { topic, partition } = batch;
    const last = batch.lastOffset();
    this.positions.get(topic)?.set(partition, BigInt(last) + 1n);
    payload.resolveOffset(last);
  }
}
