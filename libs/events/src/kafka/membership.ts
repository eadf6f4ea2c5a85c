import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@glacis/observability';
import { backoffMs, type BackoffOptions } from '@glacis/runtime';
import { within } from '../within.js';
import type { Consumer, EachBatchPayload } from './kafka-client.js';

export interface MembershipOptions {
  groupId: string;
  /** Names of the topics on the brokers. */
  topics: readonly string[];
  /** Where it begins in partitions without a committed offset: at the first record, or at the end. */
  fromBeginning: boolean;
  newConsumer: () => Consumer;
  /** Awaited before a consumer is made: what has to be there. */
  prepare: () => Promise<void>;
  /** Called for each assignment of partitions, before anything of it is fetched. */
  onJoin: (consumer: Consumer) => void;
  /** Takes a batch of one partition; several run at once. */
  onBatch: (payload: EachBatchPayload) => Promise<void>;
  /** Rejects while the brokers cannot be asked. */
  ping: () => Promise<void>;
  /** Milliseconds without any sign of life after which a consumer is replaced, if the brokers answer meanwhile. */
  stallMs: number;
  backoff: BackoffOptions;
  logger: Logger;
}

const disconnectLimitMs = 2_000;
/** Batches of a fetch that are worked on at once. kafkajs wakes so many workers for each fetch, so not many more than needed. */
const concurrency = 32;
const signs = ['consumer.fetch', 'consumer.heartbeat', 'consumer.group_join'] as const;

/**
 * A place in a consumer group, kept until closed. kafkajs gives up on errors that it takes for final, and may hang
 * without any error; either way another consumer takes its place.
 */
export class Membership {
  private readonly closing = new AbortController();
  private joined: () => void = () => undefined;
  private readonly firstJoin = new Promise<void>((resolve) => (this.joined = resolve));
  private running: Promise<void> | undefined;
  private fault: string | undefined = 'has not joined yet';

  constructor(private readonly options: MembershipOptions) {}

  /** Why it gets no messages; undefined while it is a member. */
  get trouble(): string | undefined {
    return this.fault;
  }

  /** Resolves when it has joined for the first time. It goes on trying in any case. */
  async start(): Promise<void> {
    this.running = this.run();
    await this.firstJoin;
  }

  /** Leaves the group. What `onBatch` is doing must have an end by itself. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const reason = await this.attend().catch((error: unknown) => error);
      if (signal.aborted) break;
      if (this.fault === undefined) attempt = 1;
      this.fault = reason instanceof Error ? reason.message : String(reason);
      const { logger, groupId, backoff } = this.options;
      logger.warn({ err: reason, groupId, attempt }, 'consumer lost, another takes its place');
      await sleep(backoffMs(backoff, attempt), undefined, { signal }).catch(() => undefined);
    }
    this.joined();
  }

  /** Is a member with one consumer, until that fails or is closed. Gives the reason. */
  private async attend(): Promise<unknown> {
    const { prepare, newConsumer, stallMs } = this.options;
    await prepare();
    const consumer = newConsumer();
    const life = new Life(consumer);
    const over = new AbortController();
    consumer.on('consumer.group_join', () => {
      this.options.onJoin(consumer);
      this.fault = undefined;
      this.joined();
    });
    try {
      await within(stallMs, this.join(consumer, life));
      return await Promise.race([life.crash, this.stall(life), this.closed(over.signal)]);
    } finally {
      life.over = true;
      over.abort();
      await within(disconnectLimitMs, consumer.disconnect()).catch(() => undefined);
    }
  }

  /** Resolves at the end of the membership; forgotten with the consumer, as there may be many of them. */
  private async closed(forgotten: AbortSignal): Promise<void> {
    const { signal } = this.closing;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true, signal: forgotten });
    });
  }

  private async join(consumer: Consumer, life: Life): Promise<void> {
    const { topics, fromBeginning, onBatch } = this.options;
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: async (payload) => {
        if (life.over) throw new Error('another consumer has taken its place');
        await onBatch(payload);
      },
    });
  }

  /** Resolves when the consumer shows no life though the brokers answer. An outage is no fault of its own. */
  private async stall(life: Life): Promise<Error> {
    const { stallMs, ping } = this.options;
    while (!life.over) {
      const silentMs = performance.now() - life.lastSign;
      if (silentMs >= stallMs) {
        const answered = await ping().then(
          () => true,
          () => false,
        );
        if (answered) return new Error('the consumer hangs');
        life.lastSign = performance.now();
      }
      await sleep(stallMs / 8, undefined, { ref: false });
    }
    return new Error('closed');
  }
}

/** What a consumer tells of itself. */
class Life {
  lastSign = performance.now();
  over = false;
  readonly crash: Promise<Error>;

  constructor(consumer: Consumer) {
    for (const sign of signs) consumer.on(sign, () => (this.lastSign = performance.now()));
    this.crash = new Promise((resolve) => {
      consumer.on('consumer.crash', ({ payload }) => resolve(payload.error));
    });
  }
}
