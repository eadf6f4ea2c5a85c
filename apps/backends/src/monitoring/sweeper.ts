import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Replica } from '../replica.js';
import { StreamClosings } from '../streams/stream-closings.js';
import { lostStreams } from '../streams/streams.store.js';
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
      const lost = await lostStreams(tx);
      if (lost.length === 0) return;
      const closedAt = this.clock.now();
      await this.closings.recordIn(
        tx,
        lost.map((row) => ({
          backendId: row.backend_id,
          tenant: row.tenant_id,
          streamId: row.stream_id,
          reason: 'replica_lost',
          openedAt: row.opened_at,
          closedAt,
          deliveredAt: null,
        })),
      );
    });
  }
}
