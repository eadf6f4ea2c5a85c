import type { BackoffOptions } from '@glacis/runtime';
import type { Logger } from '@glacis/observability';
import {
  BusClosedError,
  type BusDriver,
  type BusMessage,
  type Deliver,
  type GroupLag,
  type Hear,
} from './bus.js';
import { Lane } from './lane.js';
import { within } from './within.js';

export interface InProcessBusOptions {
  logger: Logger;
  /** Messages of one delivery at most. Default 256. */
  maxBatch?: number;
  /** Delay before a refused delivery is made again. Default 100 ms, doubled up to 5 s. */
  backoff?: BackoffOptions;
}

interface Group {
  topics: Set<string>;
  lane: Lane;
}

/** A delivery that takes longer is left to roll back with the process. */
const closeLimitMs = 2_000;

/**
 * The bus of the embedded suite: one process, no storage of its own. A publish resolves when each consumer group has
 * taken the messages, so what a crash interrupts is still in the outbox. Every group has a lane of its own.
 */
export class InProcessBus implements BusDriver {
  private readonly groups = new Map<string, Group>();
  private readonly listeners: { topics: Set<string>; hear: Hear }[] = [];
  private closed = false;

  constructor(private readonly options: InProcessBusOptions) {}

  async publish(messages: readonly BusMessage[]): Promise<void> {
    if (this.closed) {
      throw new BusClosedError();
    }
    this.tellListeners(messages);
    await Promise.all(
      [...this.groups.values()].map(async ({ topics, lane }) => {
        const own = messages.filter(({ topic }) => topics.has(topic));
        if (own.length > 0) await lane.push(own);
      }),
    );
  }

  async subscribe(group: string, topics: readonly string[], deliver: Deliver): Promise<void> {
    if (this.groups.has(group)) {
      throw new Error(`consumer group ${group} has joined already`);
    }
    const { logger, maxBatch = 256, backoff } = this.options;
    const lane = new Lane({
      deliver,
      maxBatch,
      backoff: backoff ?? { initialMs: 100, factor: 2, maxMs: 5_000, jitter: 0.2 },
      onRefused: (error, attempt) =>
        logger.warn({ err: error, group, attempt }, 'events not taken, will be delivered again'),
    });
    this.groups.set(group, { topics: new Set(topics), lane });
  }

  async listen(topics: readonly string[], hear: Hear): Promise<void> {
    this.listeners.push({ topics: new Set(topics), hear });
  }

  async check(): Promise<void> {
    if (this.closed) throw new BusClosedError();
  }

  async lags(): Promise<GroupLag[]> {
    return [...this.groups].flatMap(([group, { topics, lane }]) =>
      [...topics].map((topic) => ({ group, topic, messages: lane.waiting(topic) })),
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    const lanes = [...this.groups.values()].map(({ lane }) => lane.close());
    await within(closeLimitMs, Promise.all(lanes)).catch((error: unknown) =>
      this.options.logger.warn({ err: error }, 'bus closed during a delivery'),
    );
  }

  private tellListeners(messages: readonly BusMessage[]): void {
    for (const { topics, hear } of this.listeners) {
      for (const message of messages) {
        if (topics.has(message.topic)) hear(message);
      }
    }
  }
}
