import { readCrlEntry } from '@glacis/pki';
import { coalesce, type Clock } from '@glacis/runtime';
import type { Queryable } from '@glacis/store';
import { Lru } from '../lru.js';

/** What the database says of a serial of one of our issuers. */
export interface StoredStatus {
  /** Null: the issuer never gave out this serial. */
  certificate: {
    status: 'valid' | 'revoked';
    revokedAt: Date | null;
    reason: number;
    notAfter: Date;
    version: number;
  } | null;
  /** Row version of the issuer. */
  issuerVersion: number;
}

export interface StatusQuestion {
  issuerId: string;
  /** Decimal. */
  serial: string;
}

/** The database does not answer and nothing recent is remembered. */
export class StatusUnavailableError extends Error {
  readonly code = 'STATUS_UNAVAILABLE';
}

/** How old a remembered status may be that serves while the database is away. */
const staleMs = 5_000;
/** How long the database may take. */
const answerMs = 2_000;
const remembered = 20_000;

interface StatusRow {
  issuer_version: number;
  issuer_revoked_at: Date | null;
  issuer_reason: number | null;
  status: 'valid' | 'revoked' | null;
  revoked_at: Date | null;
  revocation_reason: number | null;
  not_after: Date;
  row_version: number;
  /** Entry of a CRL that a CA brought in has made before. */
  entry: Buffer | null;
  entry_ends: Date;
}

/**
 * Reads the status of certificates by primary key for every answer; concurrent reads share one query. While the
 * database is away, what was read in the last 5 seconds still serves.
 */
export class StatusReader {
  private readonly memory = new Lru<string, { status: StoredStatus; at: number }>(remembered);
  private readonly query = coalesce<StatusQuestion, StoredStatus>(
    (questions) => within(answerMs, this.readAll(questions)),
    { concurrency: 4 },
  );
  private readonly issuer = coalesce<string, string | null>(
    (serials) => within(answerMs, this.readIssuers(serials)),
    { concurrency: 2 },
  );

  constructor(
    private readonly db: Queryable,
    private readonly clock: Clock,
  ) {}

  /** The issuer of a serial, null when it is unknown. @throws {StatusUnavailableError} */
  async issuerOf(serial: string): Promise<string | null> {
    try {
      return await this.issuer(serial);
    } catch (cause) {
      throw new StatusUnavailableError('issuer cannot be read', { cause });
    }
  }

  /** @throws {StatusUnavailableError} */
  async read(question: StatusQuestion): Promise<StoredStatus> {
    const key = `${question.issuerId} ${question.serial}`;
    try {
      const status = await this.query(question);
      this.memory.set(key, { status, at: this.clock.now().getTime() });
      return status;
    } catch (cause) {
      const known = this.memory.get(key);
      if (known !== undefined && this.clock.now().getTime() - known.at <= staleMs) {
        return known.status;
      }
      throw new StatusUnavailableError('status cannot be read', { cause });
    }
  }

  private async readIssuers(serials: string[]): Promise<(string | null)[]> {
    const rows = await this.db.query<{ serial: string; issuer_id: string }>(
      `SELECT serial, issuer_id FROM certificates WHERE serial = ANY($1::numeric[])`,
      [serials],
    );
    const found = new Map(rows.map((row) => [row.serial, row.issuer_id]));
    return serials.map((serial) => found.get(serial) ?? null);
  }

  private async readAll(questions: StatusQuestion[]): Promise<(StoredStatus | Error)[]> {
    const rows = await this.db.query<StatusRow>(
      `SELECT i.row_version AS issuer_version, i.revoked_at AS issuer_revoked_at,
         i.revocation_reason AS issuer_reason, c.status, c.revoked_at, c.revocation_reason,
         c.not_after, c.row_version,
         e.entry, e.expires_at AS entry_ends
       FROM unnest($1::text[], $2::numeric[]) WITH ORDINALITY AS asked (issuer_id, serial, n)
       LEFT JOIN issuers i ON i.id = asked.issuer_id
       LEFT JOIN certificates c ON c.serial = asked.serial AND c.issuer_id = asked.issuer_id
       LEFT JOIN crl_entries e ON e.issuer_id = asked.issuer_id AND e.serial = asked.serial
         AND c.serial IS NULL
       ORDER BY n`,
      [questions.map((each) => each.issuerId), questions.map((each) => each.serial)],
    );
    return rows.map(statusOf);
  }
}

/** Of a leaf from before a CA was brought in we know what its CRL said, and no more. */
function takenOver({ entry, entry_ends: notAfter, issuer_version }: StatusRow): StoredStatus {
  if (entry === null) return { certificate: null, issuerVersion: issuer_version };
  const { revokedAt, reason } = readCrlEntry(entry);
  const certificate = { status: 'revoked' as const, revokedAt, reason, notAfter, version: 1 };
  return { certificate, issuerVersion: issuer_version };
}

/** A leaf is revoked with its issuer, whatever its own row says so far. */
function statusOf(row: StatusRow): StoredStatus {
  if (row.status === null) return takenOver(row);
  return {
    certificate: {
      status: row.issuer_revoked_at === null ? row.status : 'revoked',
      revokedAt: row.revoked_at ?? row.issuer_revoked_at,
      reason: row.revocation_reason ?? row.issuer_reason ?? 0,
      notAfter: row.not_after,
      version: row.row_version,
    },
    issuerVersion: row.issuer_version,
  };
}

/** Rejects when the work takes longer; its result is dropped then. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
