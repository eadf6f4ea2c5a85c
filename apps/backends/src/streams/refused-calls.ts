import type { PeerConnection } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import { LiveStreams } from './live-streams.js';

/** Refusals after which a connection is closed even though a stream is open on it. */
const MOST = 3;

/** Closes connections whose calls are refused, so that the next try costs its client a handshake and meets its limits. */
@Injectable()
export class RefusedCalls {
  private readonly counts = new WeakMap<PeerConnection, number>();

  constructor(@Inject(LiveStreams) private readonly live: LiveStreams) {}

  note(connection: PeerConnection): void {
    const count = (this.counts.get(connection) ?? 0) + 1;
    this.counts.set(connection, count);
    if (connection.closing) return;
    if (count >= MOST || this.live.onConnection(connection.peer) === 0) connection.close();
  }
}
