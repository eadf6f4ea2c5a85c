import { coalesce } from '@glacis/runtime';
import { BusClosedError, type BusMessage } from '../bus.js';
import type { Lane } from '../lane.js';
import type { Batch, EachBatchPayload, KafkaMessage } from './kafka-client.js';

export interface GroupConsumerOptions {
  newLane: () => Lane;
  /** The readable ones of a batch's records. */
  read: (batch: Batch, records: readonly KafkaMessage[]) => BusMessage[];
  /** Records of a batch that are taken, and then committed, at once. */
  atOnce: number;
  heartbeatMs: number;
}

interface Position {
  topic: string;
  partition: number;
  offset: string;
}

/**
 * What a member of a consumer group does with its batches: one lane takes those of all its partitions, and their offsets
 * are committed once their messages are taken for good. Each assignment has a lane of its own, so that nothing waits
 * twice: what a closed lane had not taken is fetched again.
 */
export class GroupConsumer {
  private lane: Lane;
  private closed = false;
  /** Of the latest batch: it commits for the assignment that holds. */
  private latest: EachBatchPayload | undefined;
  private readonly commit: (position: Position) => Promise<void>;

  constructor(private readonly options: GroupConsumerOptions) {
    this.lane = options.newLane();
    this.commit = coalesce(async (positions: Position[]) => {
      await this.latest?.commitOffsetsIfNecessary({ topics: byTopic(positions) });
      return positions.map(() => undefined);
    });
  }

  /** Partitions were assigned anew: from the committed offsets on. */
  onJoin(): void {
    if (!this.closed) this.renew(this.lane);
  }

  async onBatch(payload: EachBatchPayload): Promise<void> {
    const { lane } = this;
    this.latest = payload;
    try {
      await this.whileBeating(payload, this.take(lane, payload));
    } catch (error) {
      this.renew(lane);
      if (!(error instanceof BusClosedError)) throw error;
    }
  }

  /** Waits for the delivery under way and takes nothing more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.lane.close();
  }

  private async take(lane: Lane, payload: EachBatchPayload): Promise<void> {
    const { read, atOnce } = this.options;
    const { batch } = payload;
    const { topic, partition } = batch;
    for (let from = 0; from < batch.messages.length; from += atOnce) {
      const records = batch.messages.slice(from, from + atOnce);
      const messages = read(batch, records);
      if (messages.length > 0) await lane.push(messages);
      // The partition may belong to somebody else by now.
      if (lane !== this.lane) throw new BusClosedError();
      const isEnd = from + atOnce >= batch.messages.length;
      const last = isEnd ? batch.lastOffset() : (records.at(-1) as KafkaMessage).offset;
      payload.resolveOffset(last);
      await this.commit({ topic, partition, offset: String(BigInt(last) + 1n) });
    }
  }

  /** Keeps the membership while a delivery takes its time. Rejects at once when the group rebalances. */
  private async whileBeating(payload: EachBatchPayload, work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const lost = new Promise<never>((_, reject) => {
      timer = setInterval(() => void payload.heartbeat().catch(reject), this.options.heartbeatMs);
    });
    try {
      await Promise.race([work, lost]);
    } finally {
      clearInterval(timer);
    }
  }

  private renew(lane: Lane): void {
    if (lane !== this.lane || this.closed) return;
    this.lane = this.options.newLane();
    void lane.close();
  }
}

function byTopic(
  positions: readonly Position[],
): { topic: string; partitions: { partition: number; offset: string }[] }[] {
  return [...new Set(positions.map(({ topic }) => topic))].map((topic) => ({
    topic,
    partitions: positions
      .filter((position) => position.topic === topic)
      .map(({ partition, offset }) => ({ partition, offset })),
  }));
}
