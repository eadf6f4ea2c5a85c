import type { ClientMessage } from '@glacis/grpc';
import { LOGGER, type Logger } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { signOf } from './choose-dialect.js';
import type { LiveStream } from './live-stream.js';
import { StreamMetrics } from './metrics.js';
import { decideDialect } from './streams.store.js';

/** Counts what arrives, and learns from it which dialect an ambiguous client speaks. */
@Injectable()
export class DialectWatch {
  /** Streams whose contradiction was logged: every message counts, but a client must not fill the log. */
  private readonly logged = new WeakSet<LiveStream>();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param kind undefined for a message without a known member, which is ignored */
  see(stream: LiveStream, kind: ClientMessage['kind'] | undefined): void {
    this.metrics.relayed.inc({ kind: kind ?? 'unset' });
    if (kind === undefined) return;
    const choice = { dialect: stream.dialect.name, ambiguous: stream.ambiguous };
    const sign = stream.expects(kind) ? signOf(choice, kind) : 'contradicts';
    if (sign === 'decides') this.decide(stream);
    if (sign === 'contradicts') this.contradicted(stream, kind);
  }

  private contradicted(stream: LiveStream, kind: ClientMessage['kind']): void {
    this.metrics.contradictions.inc();
    if (this.logged.has(stream)) return;
    this.logged.add(stream);
    const { backendId, streamId } = stream.facts;
    this.logger.warn(
      { backend: backendId, stream: streamId, dialect: stream.dialect.name, kind },
      'message contradicts the dialect of its stream',
    );
  }

  private decide(stream: LiveStream): void {
    stream.decide('v0.3');
    decideDialect(this.store, stream.facts, 'v0.3').catch((error: unknown) =>
      // The stream goes by what it knows itself; only what REST shows stays behind.
      this.logger.warn({ err: error, stream: stream.facts.streamId }, 'dialect not recorded'),
    );
  }
}
