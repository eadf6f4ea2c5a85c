import type { CertificatesRpc } from '@glacis/contracts';
import { RpcDirectory } from '@glacis/grpc';
import { checkIfMatch, etagOf, problems, type Caller } from '@glacis/http';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import { StreamClosings } from '../streams/stream-closings.js';
import { closingOf, lockStreams } from '../streams/streams.store.js';
import { Terminations } from '../terminations/terminations.service.js';
import { isBackendId, unknownBackend } from './backend-reader.js';
import {
  abandonedDeletions,
  guestsOf,
  lockForDeletion,
  lockGuests,
  lockMarked,
  markDeleting,
  removeMarked,
  type DeletingBackend,
} from './deletion.store.js';

/** Who has a backend deleted: a caller, or this service by itself. */
export type Deleter = Pick<Caller, 'tenant'> &
  Partial<Pick<Caller, 'requestId' | 'traceparent'>> & { principal: { subject: string } };

/** RFC 5280 5.3.1 */
const CESSATION_OF_OPERATION = 5;

/**
 * Deletes a backend, and the VMs of a host with it, in three steps, each safe to repeat: mark it (from then on it
 * exists for nobody) and end its stream; revoke its certificates; remove it. What a crash or an unreachable CA leaves behind is finished later.
 */
@Injectable()
export class BackendDeletion {
  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(Terminations) private readonly terminations: Terminations,
    @Inject(StreamClosings) private readonly closings: StreamClosings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RpcDirectory) directory: RpcDirectory,
  ) {
    this.certificates = directory.client('certificates');
  }

  /** @throws {Problem} 404 unknown, 412 changed since `ifMatch` was read, 503 the certificates could not be revoked */
  async delete(by: Deleter, id: string, ifMatch: string | undefined): Promise<void> {
    const backend = await this.store.transaction((tx) => this.mark(tx, by, { id, ifMatch }));
    await this.finish(backend, by.traceparent);
  }

  /** Finishes deletions whose process died or which found no CA. */
  async finishAbandoned(): Promise<void> {
    const failures: unknown[] = [];
    for (const backend of await abandonedDeletions(this.store)) {
      await this.finish(backend).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  private async mark(
    tx: Tx,
    by: Deleter,
    { id, ifMatch }: { id: string; ifMatch: string | undefined },
  ): Promise<DeletingBackend> {
    const backend = isBackendId(id) ? await lockForDeletion(tx, by.tenant, id) : undefined;
    if (!backend) throw unknownBackend();
    // A repeated request finds the mark of the first one and goes on from there.
    if (backend.marked) return backend;
    checkIfMatch(ifMatch, etagOf(backend.rowVersion));
    // Nobody is left to answer for the VMs of a host that is gone.
    const guests = await lockGuests(tx, id);
    for (const each of [...guests.filter((guest) => !guest.marked), backend]) {
      await this.markOne(tx, by, each);
    }
    return backend;
  }

  private async markOne(tx: Tx, by: Deleter, backend: DeletingBackend): Promise<void> {
    const { id } = backend;
    await markDeleting(tx, id);
    await this.terminations.endIfConnected(tx, {
      backendId: id,
      tenant: by.tenant,
      type: 1,
      reason: 'backend deleted',
      requestedBy: by.principal.subject,
    });
    await this.journal.write(tx, {
      audit: [
        {
          actor: by.principal.subject,
          tenant: by.tenant,
          action: 'backend.delete',
          subject: id,
          requestId: by.requestId,
          before: { name: backend.name, address: backend.address },
        },
      ],
    });
  }

  private async finish(backend: DeletingBackend, traceparent?: string): Promise<void> {
    for (const guest of await guestsOf(this.store, backend.id)) {
      await this.finish(guest, traceparent);
    }
    await this.revokeCertificates(backend);
    await this.store.transaction(async (tx) => {
      if (!(await lockMarked(tx, backend.id))) return;
      await this.closeStreams(tx, backend.id);
      await removeMarked(tx, backend.id);
      await this.journal.write(tx, {
        events: [
          {
            type: 'backend.deleted',
            subject: backend.id,
            tenant: backend.tenant,
            traceparent,
            data: {
              backend_id: backend.id,
              name: backend.name,
              address: backend.address,
              changed: [],
              ...(backend.entityType === 'cvm' && { entity_type: 'cvm' }),
            },
          },
        ],
      });
    });
  }

  /** Their ends are told before that of the backend, and not by their holders later. */
  private async closeStreams(tx: Tx, id: string): Promise<void> {
    const now = this.clock.now();
    const closings = (await lockStreams(tx, id)).map((row) => closingOf(row, 'terminated', now));
    if (closings.length > 0) await this.closings.recordIn(tx, closings);
  }

  private async revokeCertificates({ id, tenant, entityType }: DeletingBackend): Promise<void> {
    try {
      await this.certificates.revokeEntity({
        tenant,
        entityType,
        entityId: id,
        reason: CESSATION_OF_OPERATION,
      });
    } catch (cause) {
      throw problems.unavailable('its certificates could not be revoked; repeat the request', {
        cause,
      });
    }
  }
}
