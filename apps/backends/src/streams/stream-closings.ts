import type { AuditEntry } from '@glacis/identity';
import { LOGGER, type Logger } from '@glacis/observability';
import { coalesce, newId } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import { dropUnsentRuns } from '../runs/unsent-runs.js';
import {
  closeRequests,
  insertRequests,
  type ClosedRequest,
  type TerminationRequest,
} from '../terminations/terminations.store.js';
import { closingEvents } from './closing-events.js';
import type { StreamClosing } from './stream.js';
import { deleteStreams, lockBackends, touchBackends } from './streams.store.js';

/**
 * Records the ends of streams. Whoever frees a slot tells of it in the same transaction, so each stream is told
 * disconnected once, whether its holder, a newer stream or a sweeper ends it.
 */
@Injectable()
export class StreamClosings {
  private readonly recordTogether: (closing: StreamClosing) => Promise<void>;

  constructor(
    @Inject(Store) store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.recordTogether = coalesce(async (closings: StreamClosing[]) => {
      await store.transaction((tx) => this.recordIn(tx, closings));
      return closings.map(() => undefined);
    });
  }

  /** Records one end; ends at the same time share a transaction. It never fails, see below. */
  async record(closing: StreamClosing): Promise<void> {
    try {
      await this.recordTogether(closing);
    } catch (error) {
      // The lease ends now that nobody renews it, and a sweeper records the end.
      this.logger.warn({ err: error, stream: closing.streamId }, 'end of stream not recorded');
    }
  }

  /** Gives back the slots that the streams still hold, settles their termination requests and tells of it. */
  async recordIn(tx: Tx, closings: readonly StreamClosing[]): Promise<void> {
    await lockBackends(
      tx,
      closings.map((one) => one.backendId),
    );
    await touchBackends(
      tx,
      closings.filter(isHeard).map((one) => ({ backendId: one.backendId, at: one.closedAt })),
    );
    const freed = await deleteStreams(tx, closings);
    // Of two ends of one stream the first one counts.
    const ours = closings.filter((closing) => freed.delete(closing.streamId));
    if (ours.length === 0) return;
    const settled = await closeRequests(tx, ours);
    const revocations = ours.filter((one) => isUnasked(one, settled)).map(systemRequest);
    if (revocations.length > 0) await insertRequests(tx, revocations);
    const events = ours.flatMap((closing) =>
      closingEvents(
        closing,
        settled.filter((one) => one.stream_id === closing.streamId),
        revocations.find((one) => one.streamId === closing.streamId),
      ),
    );
    const runs = await dropUnsentRuns(tx, ours);
    await this.journal.write(tx, {
      events: [...runs.events, ...events],
      audit: [...runs.audit, ...ours.map(auditOf)],
    });
  }
}

/** Who ends a stream that it holds still had its manager; of one whose replica was lost nothing was heard any more. */
function isHeard({ reason }: StreamClosing): boolean {
  return reason !== 'replica_lost';
}

/** A revocation for which no request of type 0 stands yet. */
function isUnasked(closing: StreamClosing, settled: readonly ClosedRequest[]): boolean {
  return (
    closing.reason === 'revoked' &&
    !settled.some((one) => one.stream_id === closing.streamId && one.type === 0)
  );
}

/** The request that stands for a revocation: whoever lists terminations sees why the stream ended. */
function systemRequest(closing: StreamClosing): TerminationRequest {
  return {
    id: newId(),
    backendId: closing.backendId,
    tenant: closing.tenant,
    type: 0,
    reason: 'certificate revoked',
    requestedBy: 'system',
    requestedAt: closing.deliveredAt ?? closing.closedAt,
    streamId: closing.streamId,
    state: 'closed',
    deliveredAt: closing.deliveredAt,
    closedAt: closing.closedAt,
  };
}

function auditOf(closing: StreamClosing): AuditEntry {
  return {
    actor: 'system',
    tenant: closing.tenant,
    action: 'stream.close',
    subject: closing.backendId,
    detail: { stream_id: closing.streamId, serial: closing.serial, reason: closing.reason },
  };
}
