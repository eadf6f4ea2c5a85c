import type { ClientMessage } from '@glacis/grpc';
import { LOGGER, type Logger } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { BackendsSettings } from '../settings.js';
import { endings } from '../streams/endings.js';
import type { LiveStream } from '../streams/live-stream.js';
import { StreamMetrics } from '../streams/metrics.js';
import { StreamEnder } from '../streams/stream-ender.js';
import { SETTINGS } from '../tokens.js';
import { RunQueue } from './run-queue.js';
import { markSent } from './runs.store.js';

/** The run queue of each stream that has one. */
@Injectable()
export class RunQueues {
  private readonly queues = new Map<LiveStream, RunQueue>();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(StreamMetrics) metrics: StreamMetrics,
  ) {
    metrics.watchQueue(() => this.length);
  }

  /** Runs that wait for their managers. */
  get length(): number {
    return [...this.queues.values()].reduce((sum, queue) => sum + queue.length, 0);
  }

  of(stream: LiveStream): RunQueue {
    const known = this.queues.get(stream);
    if (known) return known;
    const queue = new RunQueue(stream, {
      maxWaiting: this.settings.runQueue,
      markSent: (id) => this.markSent(stream, id),
    });
    this.queues.set(stream, queue);
    void stream.call.over.then(() => {
      queue.close();
      this.queues.delete(stream);
    });
    return queue;
  }

  heard(stream: LiveStream, message: ClientMessage): void {
    this.queues.get(stream)?.heard(message);
  }

  /** A run that cannot be noted as sent is not sent: nobody could stop it later. */
  private async markSent(stream: LiveStream, id: string): Promise<boolean> {
    try {
      return await markSent(this.store, id);
    } catch (error) {
      this.logger.warn({ err: error, stream: stream.facts.streamId }, 'run not sent');
      void this.ender.end(stream, endings.lost);
      return false;
    }
  }
}
