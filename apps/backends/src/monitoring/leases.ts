import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Replica } from '../replica.js';
import { endings } from '../streams/endings.js';
import type { LiveStream } from '../streams/live-stream.js';
import { LiveStreams } from '../streams/live-streams.js';
import { StreamEnder } from '../streams/stream-ender.js';
import { slotKey } from '../streams/stream.js';
import { currentEpochs, renewLeases, touchBackends } from '../streams/streams.store.js';
import type { Duty } from './duty.js';

/** Keeps the slots of this replica's streams, and ends the streams whose slots are lost. */
@Injectable()
export class Leases implements Duty {
  readonly name = 'leases';
  readonly intervalMs: number;
  private readonly touchedAt = new WeakMap<LiveStream, Date>();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
    @Inject(Replica) private readonly replica: Replica,
  ) {
    this.intervalMs = replica.leaseMs / 3;
  }

  /** @throws when the database does not answer; streams whose lease has run out meanwhile are ended */
  async run(): Promise<void> {
    const streams = this.live.all();
    if (streams.length === 0) return;
    try {
      await this.inTime(this.renew(streams));
    } catch (error) {
      this.endExpired(streams);
      throw error;
    }
  }

  private async renew(streams: readonly LiveStream[]): Promise<void> {
    const asked = performance.now();
    const held = await renewLeases(
      this.store,
      streams.map((stream) => stream.facts),
      this.replica.leaseMs,
    );
    for (const stream of streams) {
      if (held.has(stream.facts.streamId)) stream.leaseHeldAt = asked;
    }
    await this.endLost(streams.filter((stream) => !held.has(stream.facts.streamId)));
    await this.touch(streams);
  }

  /** A database that is out of reach must not keep us from noticing that leases end. */
  private async inTime(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('leases not renewed in time')), this.intervalMs);
    });
    try {
      await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Their slots are taken by newer streams, or were given up for lost by another replica. */
  private async endLost(lost: readonly LiveStream[]): Promise<void> {
    if (lost.length === 0) return;
    const epochs = await currentEpochs(
      this.store,
      lost.map((stream) => stream.facts.backendId),
    );
    for (const stream of lost) {
      const newer = (epochs.get(slotKey(stream.facts)) ?? 0) > stream.facts.epoch;
      void this.ender.end(stream, newer ? endings.replaced : endings.lost);
    }
  }

  /** A stream must not stay open when nothing can be recorded of it. */
  private endExpired(streams: readonly LiveStream[]): void {
    const expired = performance.now() - this.replica.leaseMs;
    for (const stream of streams) {
      if (stream.leaseHeldAt <= expired) void this.ender.end(stream, endings.lost);
    }
  }

  /** `last_seen` of those that were heard since it was last written. */
  private async touch(streams: readonly LiveStream[]): Promise<void> {
    const heard = streams.filter((stream) => {
      const before = this.touchedAt.get(stream) ?? stream.facts.openedAt;
      return stream.lastHeard > before;
    });
    if (heard.length === 0) return;
    await touchBackends(
      this.store,
      heard.map((stream) => ({ backendId: stream.facts.backendId, at: stream.lastHeard })),
    );
    for (const stream of heard) this.touchedAt.set(stream, stream.lastHeard);
  }
}
