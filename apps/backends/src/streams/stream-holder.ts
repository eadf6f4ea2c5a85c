import { Inject, Injectable } from '@nestjs/common';
import type { RefusalReason } from './admission.js';
import { Doorkeeper } from './doorkeeper.js';
import { endings } from './endings.js';
import { Inbound } from './inbound.js';
import type { LiveStream } from './live-stream.js';
import { LiveStreams } from './live-streams.js';
import { StreamEnder } from './stream-ender.js';

/** Milliseconds of silence that only a missing answer to a ping explains: 30 s to the ping, half of its 10 s. */
const SILENCE_MS = 35_000;

/** Takes an admitted stream into this replica's care, from its headers to its end. */
@Injectable()
export class StreamHolder {
  constructor(
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(Doorkeeper) private readonly doorkeeper: Doorkeeper,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
    @Inject(Inbound) private readonly inbound: Inbound,
  ) {}

  /** Opens the stream to its client, unless what has happened since its admission refuses it. */
  async hold(stream: LiveStream): Promise<RefusalReason | undefined> {
    // From these checks to the entry into the map nothing waits, so no revocation can fall between them.
    const refusal = this.live.accepting
      ? this.doorkeeper.lateRefusal(stream.facts)
      : 'shutting_down';
    if (refusal !== undefined) {
      await this.ender.giveUp(stream, refusal === 'revoked' ? 'revoked' : 'closed');
      return refusal;
    }
    const others = this.live.ofSlot(stream.facts);
    this.live.add(stream);
    stream.call.sendHeaders();
    stream.call.onMessage((bytes) => this.inbound.receive(stream, bytes));
    // A renewal does not move a live stream to the new serial: it ends with the certificate that opened it.
    stream.atCertificateEnd(() => void this.ender.end(stream, endings.expired));
    void stream.call.over.then(() => this.ender.end(stream, this.endOf(stream)));
    this.endOlder([stream, ...others]);
    return undefined;
  }

  /** Of several streams of one slot only the newest stays, whichever was admitted first. */
  private endOlder(streams: readonly LiveStream[]): void {
    const newest = Math.max(...streams.map((stream) => stream.facts.epoch));
    for (const stream of streams) {
      if (stream.facts.epoch < newest) void this.ender.end(stream, endings.replaced);
    }
  }

  private endOf(stream: LiveStream): (typeof endings)['closed' | 'keepalive'] {
    const cause = stream.call.connection.causeOfClose(Date.now(), SILENCE_MS);
    return cause === 'keepalive' ? endings.keepalive : endings.closed;
  }
}
