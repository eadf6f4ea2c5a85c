import type { ClientMessage } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import type { BackendsSettings } from '../settings.js';
import type { LiveStream } from '../streams/live-stream.js';
import { StreamMetrics } from '../streams/metrics.js';
import { SETTINGS } from '../tokens.js';
import { RunQueue } from './run-queue.js';

/** The run queue of each stream that has one. */
@Injectable()
export class RunQueues {
  private readonly queues = new Map<LiveStream, RunQueue>();

  constructor(
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
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
    const queue = new RunQueue(stream, this.settings.runQueue);
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
}
