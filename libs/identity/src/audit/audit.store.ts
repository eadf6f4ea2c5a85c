import { pageOf, type Queryable } from '@glacis/store';
import type { AuditRecord, ChainHead, SealedRecord } from './chain.js';

/** A row of the trail as it is listed: what it says, and its place in the chain once it has one. */
export interface ListedRecord extends AuditRecord {
  sequence: number | null;
  hash: Buffer | null;
}

export interface AuditFilter {
  /** Only this tenant's rows. */
  tenant?: string;
  action?: string;
  subject?: string;
}

interface Row extends AuditRecord {
  /** `bigint`, so text. */
  sequence: string | null;
  previous_hash: Buffer | null;
  hash: Buffer | null;
}

const record = 'id, at, actor, tenant, action, subject, request_id, before, after, detail';
const filterColumns = ['tenant', 'action', 'subject'] as const;

/** The newest rows first, and how many there are in all. */
export async function listAudit(
  db: Queryable,
  filter: AuditFilter,
  page: { offset: number; limit: number },
): Promise<{ total: number; rows: ListedRecord[] }> {
  const used = filterColumns.filter((column) => filter[column] !== undefined);
  const values = used.map((column) => filter[column]);
  const where = used.map((column, i) => `${column} = $${i + 1}`).join(' and ') || 'true';
  const select = `${record}, sequence, hash`;
  const list = { select, from: `audit WHERE ${where}`, orderBy: 'id DESC' };
  const { total, rows } = await pageOf<Row>(db, list, values, page);
  return { total, rows: rows.map(listed) };
}

function listed(row: Row): ListedRecord {
  return { ...row, sequence: row.sequence === null ? null : Number(row.sequence) };
}

/** The end of the chain, locked until the transaction ends; undefined while another sealer has it. */
export async function lockHead(tx: Queryable): Promise<ChainHead | undefined> {
  const [row] = await tx.query<{ sequence: string; hash: Buffer }>(
    'SELECT sequence, hash FROM audit_head FOR UPDATE SKIP LOCKED',
  );
  return row && { sequence: Number(row.sequence), hash: row.hash };
}

/** The stored end of the chain and the highest sequence among the rows, as of one moment. */
export async function readHead(
  db: Queryable,
): Promise<{ head: ChainHead | undefined; last: number; unsealed: number }> {
  const [row] = await db.query<{
    sequence: string | null;
    hash: Buffer | null;
    last: string | null;
    unsealed: string;
  }>(
    `SELECT head.sequence, head.hash,
            (SELECT max(sequence) FROM audit) AS last,
            (SELECT count(*) FROM audit WHERE sequence IS NULL) AS unsealed
     FROM (SELECT) AS once LEFT JOIN audit_head AS head ON true`,
  );
  const head = row?.hash ? { sequence: Number(row.sequence), hash: row.hash } : undefined;
  return { head, last: Number(row?.last ?? 0), unsealed: Number(row?.unsealed) };
}

export async function anyUnsealed(db: Queryable): Promise<boolean> {
  const rows = await db.query('SELECT 1 FROM audit WHERE sequence IS NULL LIMIT 1');
  return rows.length > 0;
}

/** Rows that are not in the chain yet, oldest first. */
export function unsealedRows(tx: Queryable, limit: number): Promise<AuditRecord[]> {
  return tx.query(`SELECT ${record} FROM audit WHERE sequence IS NULL ORDER BY id LIMIT $1`, [
    limit,
  ]);
}

/** Rows of the chain behind `after`, up to and with `upTo`, in their order. */
export async function sealedRows(
  db: Queryable,
  range: { after: number; upTo: number; limit: number },
): Promise<SealedRecord[]> {
  const rows = await db.query<Row>(
    `SELECT ${record}, sequence, previous_hash, hash FROM audit
     WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT $3`,
    [range.after, range.upTo, range.limit],
  );
  return rows.map(({ previous_hash, hash, ...row }) => ({
    ...row,
    sequence: Number(row.sequence),
    previousHash: previous_hash ?? Buffer.alloc(0),
    hash: hash ?? Buffer.alloc(0),
  }));
}

/** Writes the places of newly chained rows and moves the head behind the last of them. */
export async function writeSealed(tx: Queryable, rows: readonly SealedRecord[]): Promise<void> {
  const last = rows.at(-1);
  if (last === undefined) return;
  await tx.query(
    `UPDATE audit SET sequence = sealed.sequence, previous_hash = sealed.previous_hash, hash = sealed.hash
     FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[])
       AS sealed (id, sequence, previous_hash, hash)
     WHERE audit.id = sealed.id`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.sequence),
      rows.map((row) => row.previousHash),
      rows.map((row) => row.hash),
    ],
  );
  await tx.query('UPDATE audit_head SET sequence = $1, hash = $2', [last.sequence, last.hash]);
}
