import { RpcError, status } from '@glacis/grpc';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { BackendReader } from '../backends/backend-reader.js';
import { dialectNamed } from './choose-dialect.js';
import type { LiveStream } from './live-stream.js';
import { LiveStreams } from './live-streams.js';
import { slotKey } from './stream.js';
import { currentEpochs } from './streams.store.js';

/** Another replica holds the stream; a command goes there by `Commands`. */
export class HeldElsewhereError extends RpcError {
  constructor() {
    super(status.UNAVAILABLE, 'held-elsewhere', 'another replica holds the stream');
  }
}

function notConnected(): RpcError {
  const text = 'the backend is not connected';
  return new RpcError(status.FAILED_PRECONDITION, 'not-connected', text);
}

/** Finds the live stream of a backend for a command that needs one. */
@Injectable()
export class StreamFinder {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(LiveStreams) private readonly live: LiveStreams,
  ) {}

  /**
   * @throws {RpcError} NOT_FOUND for an unknown backend, FAILED_PRECONDITION when it is not connected
   * @throws {HeldElsewhereError}
   */
  async of(backendId: string): Promise<LiveStream> {
    const backend = await this.backends.find(backendId);
    if (!backend) throw new RpcError(status.NOT_FOUND, 'not-found', 'no such backend');
    if (!backend.active) throw notConnected();
    const slot = { backendId, connection: 'main' } as const;
    const epoch = (await currentEpochs(this.store, [backendId])).get(slotKey(slot));
    if (epoch === undefined) throw notConnected();
    const stream = this.live.ofSlot(slot).find((one) => one.facts.epoch === epoch);
    if (!stream) throw new HeldElsewhereError();
    // An ambiguous client whose backend was pinned since it connected is one no longer.
    const pinned = dialectNamed(stream.call.family, backend.pin);
    if (stream.ambiguous && pinned) stream.decide(pinned);
    return stream;
  }
}
