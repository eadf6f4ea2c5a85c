import { Outbox, type NewEvent } from '@glacis/events';
import { Audit, type AuditEntry } from '@glacis/identity';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';

/** What a change tells: events for the other services, entries for the audit trail. */
export interface Entries {
  events?: readonly NewEvent[];
  audit?: readonly AuditEntry[];
}

/** Tells of changes, in the transaction that makes them. */
@Injectable()
export class Journal {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  async write(tx: Tx, { events = [], audit = [] }: Entries): Promise<void> {
    if (events.length > 0) await this.outbox.add(tx, ...events);
    await this.audit.recordAll(tx, audit);
  }

  /** Tells of what changed nothing else. */
  note(entries: Entries): Promise<void> {
    return this.store.transaction((tx) => this.write(tx, entries));
  }
}
