import { backoffMs, type BackoffOptions } from '@glacis/runtime';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { BusClosedError, type BusMessage, type Deliver } from './bus.js';

interface Waiting {
  message: BusMessage;
  settle: (error?: Error) => void;
}

export interface LaneOptions {
  deliver: Deliver;
  /** Messages of one delivery at most. */
  maxBatch: number;
  /** Delay before a refused delivery is made again. */
  backoff: BackoffOptions;
  /** Told of every refused delivery. */
  onRefused: (error: unknown, attempt: number) => void;
}

/**
 * The messages that wait for one receiver, delivered in their order, one batch at a time: what gathers during a
 * delivery goes out with the next. A lane that is stuck holds up nobody but its own group.
 */
export class Lane {
  private readonly queue: Waiting[] = [];
  private readonly closing = new AbortController();
  private working: Promise<void> | undefined;

  constructor(private readonly options: LaneOptions) {}

  /** Resolves when the group has taken all of them. */
  async push(messages: readonly BusMessage[]): Promise<void> {
    if (this.closing.signal.aborted) {
      throw new BusClosedError();
    }
    await new Promise<void>((resolve, reject) => {
      let left = messages.length;
      const settle = (error?: Error): void => {
        left -= 1;
        if (error) reject(error);
        else if (left === 0) resolve();
      };
      this.queue.push(...messages.map((message) => ({ message, settle })));
      this.working ??= this.work();
    });
  }

  /** How many messages of a topic it holds. */
  waiting(topic: string): number {
    return this.queue.filter(({ message }) => message.topic === topic).length;
  }

  /** Waits for the delivery under way and refuses the rest. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.working;
  }

  private async work(): Promise<void> {
    // What is pushed in one turn of the event loop goes out together.
    await setImmediate();
    while (this.queue.length > 0 && !this.closing.signal.aborted) {
      const batch = this.queue.slice(0, this.options.maxBatch);
      if (await this.delivered(batch)) {
        this.queue.splice(0, batch.length);
        batch.forEach(({ settle }) => settle());
      }
    }
    this.working = undefined;
    if (this.closing.signal.aborted) {
      this.queue.splice(0).forEach(({ settle }) => settle(new BusClosedError()));
    }
  }

  /** False when the lane was closed before the group took the batch. */
  private async delivered(batch: readonly Waiting[]): Promise<boolean> {
    const { signal } = this.closing;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.options.deliver(batch.map(({ message }) => message));
        return true;
      } catch (error) {
        this.options.onRefused(error, attempt);
        await sleep(backoffMs(this.options.backoff, attempt), undefined, { signal }).catch(
          () => undefined,
        );
      }
    }
    return false;
  }
}
