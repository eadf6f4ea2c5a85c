import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import type { Ending } from './endings.js';
import type { LiveStream } from './live-stream.js';
import { LiveStreams } from './live-streams.js';
import { StreamClosings } from './stream-closings.js';
import type { DisconnectReason } from './stream.js';

/** Ends streams that this replica holds: the holder procedure of `backends.md` 5. */
@Injectable()
export class StreamEnder {
  private readonly underWay = new Map<LiveStream, Promise<void>>();

  constructor(
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(StreamClosings) private readonly closings: StreamClosings,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Resolves when the stream is closed and its end recorded. The first call for a stream decides how it ends.
   * @param onClosed called when the client is cut off, before the end is recorded
   */
  end(stream: LiveStream, ending: Ending, onClosed?: () => void): Promise<void> {
    const known = this.underWay.get(stream);
    if (known) return known;
    if (this.live.get(stream.facts.streamId) !== stream) return Promise.resolve();
    const ended = this.run(stream, ending, onClosed).finally(() => this.underWay.delete(stream));
    this.underWay.set(stream, ended);
    return ended;
  }

  /** Gives back the slot of a stream that was admitted but never opened. */
  giveUp(stream: LiveStream, reason: DisconnectReason): Promise<void> {
    return this.record(stream, reason, null);
  }

  private async run(stream: LiveStream, ending: Ending, onClosed?: () => void): Promise<void> {
    const deliveredAt = await this.askToEnd(stream, ending);
    await this.cutOff(stream, ending);
    this.live.remove(stream);
    onClosed?.();
    // What the client has said comes before its end, on the bus too.
    await stream.recorded();
    await this.record(stream, ending.reason, deliveredAt);
  }

  private async cutOff(stream: LiveStream, ending: Ending): Promise<void> {
    const { call } = stream;
    try {
      await call.end(ending.code, ending.details);
      if (ending.closesConnection && !this.live.sharesConnection(stream)) call.connection.close();
    } catch {
      // Nothing that a client has done to its connection may keep it.
      call.connection.socket.destroy();
    }
  }

  private record(
    { facts }: LiveStream,
    reason: DisconnectReason,
    deliveredAt: Date | null,
  ): Promise<void> {
    const { backendId, connection, tenant, streamId, serial, openedAt } = facts;
    const closedAt = this.clock.now();
    return this.closings.record({
      backendId,
      connection,
      tenant,
      streamId,
      serial,
      reason,
      openedAt,
      closedAt,
      deliveredAt,
    });
  }

  /** Asks the client to end, where it can be asked, and gives it its time; tells when it was asked. */
  private async askToEnd(stream: LiveStream, ending: Ending): Promise<Date | null> {
    if (ending.terminate === null || stream.call.ended || !stream.canBeAskedToEnd) return null;
    stream.askToEnd(ending.terminate);
    const deliveredAt = this.clock.now();
    const grace = new AbortController();
    await Promise.race([
      stream.call.over,
      sleep(this.settings.terminateGrace, undefined, { signal: grace.signal }),
    ]).finally(() => grace.abort());
    return deliveredAt;
  }
}
