import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** What a row says, as it is hashed. */
export interface AuditRecord {
  id: string;
  at: Date;
  actor: string;
  tenant: string | null;
  action: string;
  subject: string;
  request_id: string | null;
  before: unknown;
  after: unknown;
  detail: unknown;
}

/** A row with its place in the chain. */
export interface SealedRecord extends AuditRecord {
  sequence: number;
  previousHash: Buffer;
  hash: Buffer;
}

/** Where a chain ends: the sequence of its last row, which is also the count of its rows, and that row's hash. */
export interface ChainHead {
  sequence: number;
  hash: Buffer;
}

/** The end of an empty chain. */
export const emptyChain: ChainHead = { sequence: 0, hash: Buffer.alloc(32) };

/** SHA-256 over the previous row's hash and the canonical JSON of the row with its sequence. */
export function hashOf(previousHash: Buffer, sequence: number, row: AuditRecord): Buffer {
  const { id, at, actor, tenant, action, subject, request_id, before, after, detail } = row;
  const text = canonicalJson({
    sequence,
    id,
    at: at.toISOString(),
    actor,
    tenant,
    action,
    subject,
    request_id,
    before,
    after,
    detail,
  });
  return createHash('sha256').update(previousHash).update(text).digest();
}

/** Chains rows in the given order behind `head`. */
export function seal(head: ChainHead, rows: readonly AuditRecord[]): SealedRecord[] {
  let { sequence, hash: previousHash } = head;
  return rows.map((row) => {
    sequence += 1;
    const hash = hashOf(previousHash, sequence, row);
    const sealed = { ...row, sequence, previousHash, hash };
    previousHash = hash;
    return sealed;
  });
}

/**
 * What is wrong with a chain, and where.
 * `missing`: the row with this sequence is gone, at the end of the chain too. `reordered`: the row does not follow the
 * one before it, so one of the two was moved or exchanged. `changed`: the row is not what was sealed. `head`: the
 * rows do not end where the stored head says.
 */
export interface ChainFault {
  kind: 'missing' | 'reordered' | 'changed' | 'head';
  sequence: number;
}

/** Checks a chain row by row, in the order of the sequence; bounded memory however long it is. */
export class ChainCheck {
  private end: ChainHead = emptyChain;

  /** The rows checked so far. */
  get sequence(): number {
    return this.end.sequence;
  }

  /** The fault of the next row, if it has one. After a fault the check is over. */
  next(row: SealedRecord): ChainFault | undefined {
    const sequence = this.end.sequence + 1;
    if (row.sequence !== sequence) return { kind: 'missing', sequence };
    if (!row.previousHash.equals(this.end.hash)) return { kind: 'reordered', sequence };
    if (!hashOf(row.previousHash, sequence, row).equals(row.hash)) {
      return { kind: 'changed', sequence };
    }
    this.end = { sequence, hash: row.hash };
    return undefined;
  }

  /** The fault that shows only at the end, when all rows were given. */
  finish(head: ChainHead): ChainFault | undefined {
    const { sequence, hash } = this.end;
    if (sequence < head.sequence) return { kind: 'missing', sequence: sequence + 1 };
    const ends = sequence === head.sequence && hash.equals(head.hash);
    return ends ? undefined : { kind: 'head', sequence };
  }
}
