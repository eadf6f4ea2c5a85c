import type { NewEvent } from '@glacis/events';
import type { AuditEntry } from '@glacis/identity';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import { Replica } from '../replica.js';
import type { RefusalReason } from './admission.js';
import { StreamClosings } from './stream-closings.js';
import { connectionMember, type StreamFacts, type StreamOpening } from './stream.js';
import { closingOf, insertStream, lockStreams, nextEpoch, takeOpen } from './streams.store.js';

/** Takes a slot of a backend for a new stream (`backends.md` 4.2 step 5). */
@Injectable()
export class StreamSlots {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(StreamClosings) private readonly closings: StreamClosings,
    @Inject(Replica) private readonly replica: Replica,
  ) {}

  /** The newest stream wins: whoever had the slot is told replaced in the same transaction. */
  take(opening: StreamOpening): Promise<StreamFacts | RefusalReason> {
    return this.store.transaction(async (tx) => {
      if (!(await takeOpen(tx, opening.serial))) return 'reconnect_limit';
      const epoch = await nextEpoch(tx, opening);
      if (epoch === undefined) return 'unknown_backend';
      const streams = await lockStreams(tx, opening.backendId);
      const before = streams.find(({ connection }) => connection === opening.connection);
      if (before) {
        await this.closings.recordIn(tx, [closingOf(before, 'replaced', opening.openedAt)]);
      }
      const facts = factsOf(opening, epoch);
      await insertStream(tx, opening, {
        epoch,
        replicaId: this.replica.id,
        leaseMs: this.replica.leaseMs,
      });
      await this.journal.write(tx, {
        events: [connectedEvent(opening, epoch, this.replica.id)],
        audit: [auditOf(opening)],
      });
      return facts;
    });
  }
}

function factsOf(opening: StreamOpening, epoch: number): StreamFacts {
  const { dialect: _, ambiguous: __, version: ___, ...rest } = opening;
  return { ...rest, epoch };
}

function connectedEvent(opening: StreamOpening, epoch: number, replicaId: string): NewEvent {
  return {
    type: 'backend.connected',
    subject: opening.backendId,
    tenant: opening.tenant,
    data: {
      backend_id: opening.backendId,
      stream_id: opening.streamId,
      epoch,
      replica_id: replicaId,
      certificate_serial: opening.serial,
      issuer_id: opening.issuerId,
      protocol: opening.dialect,
      ...(opening.version === null ? {} : { version: opening.version }),
      peer: opening.peer,
      ...connectionMember(opening),
    },
  };
}

function auditOf(opening: StreamOpening): AuditEntry {
  return {
    actor: `certificate:${opening.serial}`,
    tenant: opening.tenant,
    action: 'stream.open',
    subject: opening.backendId,
    detail: { stream_id: opening.streamId, result: 'admitted', peer: opening.peer },
  };
}
