import type { Queryable } from '@glacis/store';
import { readHead, sealedRows } from './audit.store.js';
import { ChainCheck, type ChainFault, type ChainHead } from './chain.js';

export interface AuditVerification {
  /** Rows of the chain that were found good, from the first one on. */
  verified: number;
  /** Rows written but not chained yet; nothing protects them until the sealer's next turn. */
  unsealed: number;
  /** Keep it elsewhere: a later chain that does not contain it was rewritten. */
  head: ChainHead | null;
  /** The first broken row, or null. */
  fault: ChainFault | null;
}

const batchSize = 1_000;

/**
 * Recomputes the whole chain of a service, in batches. It sees rows that were changed, taken out, moved or put in, and
 * rows cut off the end; not a trail that was rewritten together with its head.
 */
export async function verifyAudit(db: Queryable): Promise<AuditVerification> {
  const { head, last, unsealed } = await readHead(db);
  const check = new ChainCheck();
  const upTo = Math.max(last, head?.sequence ?? 0);
  const fault = (await checkRows(db, check, upTo)) ?? headFault(check, head) ?? null;
  return { verified: check.sequence, unsealed, head: head ?? null, fault };
}

async function checkRows(
  db: Queryable,
  check: ChainCheck,
  upTo: number,
): Promise<ChainFault | undefined> {
  for (;;) {
    const rows = await sealedRows(db, { after: check.sequence, upTo, limit: batchSize });
    for (const row of rows) {
      const fault = check.next(row);
      if (fault !== undefined) return fault;
    }
    if (rows.length < batchSize) return undefined;
  }
}

function headFault(check: ChainCheck, head: ChainHead | undefined): ChainFault | undefined {
  return head === undefined ? { kind: 'head', sequence: check.sequence } : check.finish(head);
}
