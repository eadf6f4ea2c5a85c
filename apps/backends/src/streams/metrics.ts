import type { RefusalReason as ListenerRefusal } from '@glacis/grpc';
import { Metrics } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import { refusalCodes } from './admission.js';
import type { DropReason } from './admission-log.js';
import { LiveStreams } from './live-streams.js';
import { dialectsByName } from './stream-family.js';

const turnedAway: readonly (ListenerRefusal | DropReason | 'blocked' | 'reconnect_limit')[] = [
  'accept_failed',
  'source_limit',
  'pending_limit',
  'connection_limit',
  'handshake',
  'resumed',
  'blocked',
  'refused_set',
  'not_valid_now',
  'reconnect_limit',
];

const clientKinds = new Set(
  Object.values(dialectsByName).flatMap((dialect) => [...dialect.answers]),
);

/** Series of `backends.md` 13. */
@Injectable()
export class StreamMetrics {
  readonly opens;
  readonly refusals;
  readonly contradictions;
  readonly terminationSeconds;
  readonly revocationSeconds;
  readonly relayed;

  constructor(
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(LiveStreams) live: LiveStreams,
  ) {
    this.opens = metrics.counter({
      name: 'glacis_backends_stream_open_total',
      help: 'Streams that managers and agents wanted to open, by what became of it',
      labels: ['result'],
    });
    this.refusals = metrics.counter({
      name: 'glacis_backends_reconnect_refused_total',
      help: 'Clients turned away for coming back too often or after a refusal, by reason',
      labels: ['reason'],
    });
    this.contradictions = metrics.counter({
      name: 'glacis_backends_dialect_contradicted_total',
      help: 'Messages that the dialect of their stream does not know',
    });
    this.terminationSeconds = metrics.histogram({
      name: 'glacis_backends_termination_seconds',
      help: 'From the request to end a stream to its end',
    });
    this.revocationSeconds = metrics.histogram({
      name: 'glacis_backends_revocation_to_disconnect_seconds',
      help: 'From the revocation of a certificate to the end of its stream',
    });
    this.relayed = metrics.counter({
      name: 'glacis_backends_relay_messages_total',
      help: 'Messages of managers and agents, by kind',
      labels: ['kind'],
    });
    this.showFromStart();
    observeLive(metrics, live);
  }

  /** A series that begins with its first event hides that event from rates. */
  private showFromStart(): void {
    for (const result of ['admitted', ...Object.keys(refusalCodes)]) this.opens.inc({ result }, 0);
    for (const reason of turnedAway) this.refusals.inc({ reason }, 0);
    for (const kind of ['unset', ...clientKinds]) this.relayed.inc({ kind }, 0);
  }

  /** Shows how many runs wait for their managers. */
  watchQueue(length: () => number): void {
    this.metrics.gauge({
      name: 'glacis_backends_run_queue_length',
      help: 'Runs that wait for their manager',
      collect: (gauge) => gauge.set(length()),
    });
  }
}

function observeLive(metrics: Metrics, live: LiveStreams): void {
  metrics.gauge({
    name: 'glacis_backends_connected',
    help: 'Backends whose stream this replica holds, by dialect',
    labels: ['protocol'],
    collect: (gauge) => {
      for (const protocol of Object.keys(dialectsByName)) gauge.set({ protocol }, 0);
      for (const { facts, dialect } of live.all()) {
        if (facts.connection === 'main') gauge.inc({ protocol: dialect.name });
      }
    },
  });
  metrics.gauge({
    name: 'glacis_backends_stream_age_seconds',
    help: 'Age of the oldest stream held by this replica',
    collect: (gauge) => {
      const opened = live.all().map((stream) => stream.facts.openedAt.getTime());
      gauge.set(opened.length === 0 ? 0 : (Date.now() - Math.min(...opened)) / 1000);
    },
  });
}
