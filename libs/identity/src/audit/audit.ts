import { newId, systemClock, type Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';

/** One action to be remembered. Never put a secret into it: whoever may read the trail reads all of it. */
export interface AuditEntry {
  /** Who did it: the subject of the token, or the name of the service for what it does by itself. */
  actor: string;
  /** Whose object it was; null when it belongs to no tenant. */
  tenant: string | null;
  /** What was done, as `token.create`. */
  action: string;
  /** The id of what it was done to. */
  subject: string;
  requestId?: string;
  /** State before and after, where there is one; anything that JSON can say. */
  before?: unknown;
  after?: unknown;
  detail?: Record<string, unknown>;
}

const columns = 'id, at, actor, tenant, action, subject, request_id, before, after, detail';

const types = [
  'uuid',
  'timestamptz',
  'text',
  'text',
  'text',
  'text',
  'text',
  'json',
  'json',
  'json',
];

const insert = `INSERT INTO audit (${columns}) SELECT * FROM unnest(${types
  .map((type, i) => `$${i + 1}::${type}[]`)
  .join(', ')})`;

/**
 * Writes the audit trail of a service, in the transaction of the action itself: both happen or neither. Rows are
 * chained by the sealer later, so writers never wait for one another.
 */
export class Audit {
  constructor(private readonly clock: Clock = systemClock) {}

  record(tx: Tx, entry: AuditEntry): Promise<void> {
    return this.recordAll(tx, [entry]);
  }

  /** All entries in one statement; they are listed and chained in their order. */
  async recordAll(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const at = this.clock.now();
    // Ids of one millisecond come in no order of their own; sorted they keep that of the entries.
    const ids = entries.map(() => newId(this.clock)).toSorted();
    const rows = entries.map((entry, i) => [ids[i], at, ...columnsOf(entry)]);
    await tx.query(
      insert,
      types.map((_, column) => rows.map((row) => row[column])),
    );
  }
}

function columnsOf(entry: AuditEntry): (string | null)[] {
  const { actor, tenant, action, subject, requestId = null, before, after, detail } = entry;
  const documents = [before, after, detail].map(jsonText);
  return [actor, tenant, action, subject, requestId, ...documents];
}

function jsonText(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
