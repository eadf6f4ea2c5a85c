import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { endings } from '../streams/endings.js';
import { LiveStreams } from '../streams/live-streams.js';
import { StreamMetrics } from '../streams/metrics.js';
import { StreamEnder } from '../streams/stream-ender.js';
import { markDelivered, streamsToEnd } from './terminations.store.js';

/** Carries out the termination requests of the streams that this replica holds. */
@Injectable()
export class TerminationHolder {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
  ) {}

  /** Without effect when another replica holds the stream. */
  carryOut(streamId: string, requestedAt: Date): void {
    const stream = this.live.get(streamId);
    if (!stream) return;
    void this.ender.end(stream, endings.terminated, () =>
      this.metrics.terminationSeconds.observe({}, (Date.now() - requestedAt.getTime()) / 1000),
    );
    if (!stream.canBeAskedToEnd) return;
    // Only shown for the moment until the end is recorded, which says the same.
    markDelivered(this.store, streamId, new Date()).catch(() => undefined);
  }

  /** Finds requests whose message was lost. */
  async poll(): Promise<void> {
    const streamIds = this.live.all().map((stream) => stream.facts.streamId);
    if (streamIds.length === 0) return;
    const now = new Date();
    for (const streamId of await streamsToEnd(this.store, streamIds)) this.carryOut(streamId, now);
  }
}
