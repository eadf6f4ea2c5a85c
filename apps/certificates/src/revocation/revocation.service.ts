import type { NewEvent, Outbox } from '@glacis/events';
import { problems, type Caller } from '@glacis/http';
import type { Audit, AuditEntry } from '@glacis/identity';
import { coalesce, type Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import type { CertificatesMetrics } from '../metrics.js';
import { keepCompromisedKeys } from './compromised-keys.store.js';
import { markEnded } from './ended-entities.store.js';
import { keyCompromise, reasonName } from './reasons.js';
import {
  entryOf,
  keepCrlEntries,
  knownMarks,
  liveSerialsOf,
  lockRevocations,
  markEntityRevoked,
  markKey,
  markRevoked,
  type RevokedRow,
} from './revocation.store.js';

/** Who revokes, for the event and the audit entry. */
export interface Revoker {
  actor: string;
  requestId?: string;
  traceparent?: string;
}

export const revokerOf = (caller: Caller): Required<Revoker> => ({
  actor: caller.principal.subject,
  requestId: caller.requestId,
  traceparent: caller.traceparent,
});

export interface RevocationOrder {
  serial: string;
  tenant: string;
  reason: number;
  by: Revoker;
}

export interface EntityOrder {
  tenant: string;
  entityId: string;
  /** Every type when it is left out. */
  entityType?: string;
  reason: number;
  by: Revoker;
}

export interface EndOrder extends EntityOrder {
  entityType: string;
}

export interface RevocationParts {
  store: Store;
  outbox: Outbox;
  audit: Audit;
  metrics: CertificatesMetrics;
  clock: Clock;
}

/** Revokes certificates: state, CRL entry, event and audit entry in one transaction. Nothing is signed here. */
export class Revocation {
  private readonly commit = coalesce<RevocationOrder, boolean>((orders) => this.revokeAll(orders));

  constructor(private readonly parts: RevocationParts) {}

  /**
   * Revokes one certificate; without effect on one that is revoked already, but for a stronger reason. Concurrent
   * calls share a transaction.
   * @throws Problem `not-found` when the serial is unknown in the tenant
   */
  async revoke(order: RevocationOrder): Promise<void> {
    if (!(await this.commit(order))) throw problems.notFound();
  }

  /** Revokes what an entity has, and tells the serials; null when it never had a certificate. */
  async revokeEntity(order: EntityOrder): Promise<string[] | null> {
    return this.parts.store.transaction((tx) => this.revokeLive(tx, order, lockRevocations));
  }

  /** Revokes what an entity has and lets it have nothing more, as it is gone. Tells the serials. */
  async endEntity(order: EndOrder): Promise<string[]> {
    return this.parts.store.transaction((tx) => this.endEntityIn(tx, order));
  }

  /** The same inside a transaction of the caller that has locked no row yet. */
  async endEntityIn(tx: Tx, order: EndOrder): Promise<string[]> {
    const serials = await this.revokeLive(tx, order, async () => {
      await lockRevocations(tx);
      await markEnded(tx, order, this.parts.clock.now());
    });
    return serials ?? [];
  }

  /** All that can be made before the lock is: everybody else's revocations wait behind it. */
  private async revokeLive(
    tx: Tx,
    order: EntityOrder,
    lock: (tx: Tx) => Promise<void>,
  ): Promise<string[] | null> {
    const now = this.parts.clock.now();
    const { serials, known } = await liveSerialsOf(tx, order, now);
    const change = { revoked_at: now, revocation_reason: order.reason };
    const made = new Map(serials.map((serial) => [serial, entryOf({ serial, ...change })]));
    await lock(tx);
    const rows = await markEntityRevoked(tx, order, order.reason, now);
    await keepCrlEntries(tx, rows, made);
    await keepCompromisedKeys(tx, rows);
    await this.tell(tx, rows, () => order.by);
    return known || rows.length > 0 ? rows.map((row) => row.serial) : null;
  }

  /** Inside a transaction that holds `lockRevocations`; each serial at most once. Gives what changed. */
  async revokeLocked(tx: Tx, orders: readonly RevocationOrder[]): Promise<RevokedRow[]> {
    if (orders.length === 0) return [];
    const now = this.parts.clock.now();
    const rows = await markRevoked(tx, orders, now);
    const listed = rows.filter((row) => row.not_after > now);
    await keepCrlEntries(tx, listed, new Map());
    await keepCompromisedKeys(tx, rows);
    const revokers = new Map(orders.map((order) => [keyOf(order), order.by]));
    const unnamed = { actor: 'certificates' };
    await this.tell(tx, rows, (row) => revokers.get(markKey(row.serial, row.tenant_id)) ?? unnamed);
    return rows;
  }

  /** Event and audit entry of each, with who revoked it. */
  private async tell(
    tx: Tx,
    rows: readonly RevokedRow[],
    byOf: (row: RevokedRow) => Revoker,
  ): Promise<void> {
    if (rows.length === 0) return;
    await this.parts.outbox.add(tx, ...rows.map((row) => revokedEvent(row, byOf(row))));
    await this.parts.audit.recordAll(
      tx,
      rows.map((row) => revokeAudit(row, byOf(row))),
    );
    tx.afterCommit(() => this.count(rows));
  }

  private async revokeAll(orders: RevocationOrder[]): Promise<boolean[]> {
    return this.parts.store.transaction(async (tx) => {
      await lockRevocations(tx);
      const rows = await this.revokeLocked(tx, strongest(orders));
      const changed = new Set(rows.map((row) => markKey(row.serial, row.tenant_id)));
      const others = orders.filter((order) => !changed.has(keyOf(order)));
      const known = others.length === 0 ? changed : await knownMarks(tx, others);
      return orders.map((order) => changed.has(keyOf(order)) || known.has(keyOf(order)));
    });
  }

  private count(rows: readonly RevokedRow[]): void {
    for (const row of rows) {
      this.parts.metrics.revoked.inc({ reason: reasonName(row.revocation_reason) });
    }
  }
}

const keyOf = (order: RevocationOrder): string => markKey(order.serial, order.tenant);

/** One order per certificate: keyCompromise if anybody says so, else what was said first. */
function strongest(orders: readonly RevocationOrder[]): RevocationOrder[] {
  const kept = new Map<string, RevocationOrder>();
  for (const order of orders) {
    const key = keyOf(order);
    const other = kept.get(key);
    const isStronger = order.reason === keyCompromise && other?.reason !== keyCompromise;
    if (other === undefined || isStronger) kept.set(key, order);
  }
  return [...kept.values()];
}

function revokedEvent(row: RevokedRow, by: Revoker): NewEvent {
  return {
    type: 'certificate.revoked',
    subject: row.serial,
    tenant: row.tenant_id,
    traceparent: by.traceparent,
    data: {
      serial_number: row.serial,
      entity_type: row.entity_type,
      entity_id: row.entity_id,
      reason: row.revocation_reason,
      revoked_at: row.revoked_at.toISOString(),
      sequence: Number(row.revocation_seq),
    },
  };
}

function revokeAudit(row: RevokedRow, by: Revoker): AuditEntry {
  return {
    actor: by.actor,
    tenant: row.tenant_id,
    action: 'certificate.revoke',
    subject: row.serial,
    requestId: by.requestId,
    detail: {
      entity_type: row.entity_type,
      entity_id: row.entity_id,
      reason: reasonName(row.revocation_reason),
    },
  };
}
