import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Replica } from '../replica.js';
import { StreamClosings } from '../streams/stream-closings.js';
import { closingOf, lockBackends, lostBackends, lostStreams } from '../streams/streams.store.js';
import type { Duty } from './duty.js';

const MAX_INTERVAL_MS = 5_000;

/** Records the ends of streams whose replica has died: their leases run out, and nobody else tells of it. */
@Injectable()
export class Sweeper implements Duty {
  readonly name = 'lost streams';
  readonly intervalMs: number;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(StreamClosings) private readonly closings: StreamClosings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Replica) replica: Replica,
  ) {
    this.intervalMs = Math.min(MAX_INTERVAL_MS, replica.leaseMs / 3);
  }

  run(): Promise<void> {
    return this.store.transaction(async (tx) => {
      const ids = await lostBackends(tx);
      if (ids.length === 0) return;
      // In the order of an opening: the rows of backends, then those of their streams.
      await lockBackends(tx, ids);
      const lost = await lostStreams(tx, ids);
      if (lost.length === 0) return;
      const closedAt = this.clock.now();
      const closings = lost.map((row) => closingOf(row, 'replica_lost', closedAt));
      await this.closings.recordIn(tx, closings);
    });
  }
}
