import type { NewEvent, Outbox } from '@glacis/events';
import type { Audit, AuditEntry } from '@glacis/identity';
import { problems } from '@glacis/http';
import { caUnavailable, keyCompromised } from '../problems.js';
import { coalesce } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import {
  insertCertificates,
  takenSerials,
  type NewCertificate,
} from '../certificates/certificates.store.js';
import type { KeySafe, SealedKey } from '../keys/key-safe.js';
import { revokedIssuers } from '../authority/issuers.store.js';
import { compromisedKeys } from '../revocation/compromised-keys.store.js';
import { shareRevocations } from '../revocation/revocation.store.js';

/** All that one issue writes. */
export interface Issue {
  row: NewCertificate;
  key?: SealedKey;
  /** The member of the request that names the public key; none where we made it. */
  keyField?: string;
  event: NewEvent;
  audit: AuditEntry;
}

/** The random serial is taken: sign again with another. */
class SerialTakenError extends Error {
  readonly code = 'SERIAL_TAKEN';
}

/** Runs `attempt`, which draws a serial and writes, again while the serial is taken. */
export async function withFreeSerial<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof SerialTakenError)) throw error;
    }
  }
}

/** Where an issue is written: on its own, or inside the transaction of the caller. */
export interface IssueScope {
  /**
   * Resolves when the issue is written, which on its own means committed. Used within `withFreeSerial`.
   * @throws Problem `not-found` when the entity is gone, `key-compromised`
   */
  write(issue: Issue): Promise<void>;
}

export interface IssueWriterParts {
  store: Store;
  safe: KeySafe;
  outbox: Outbox;
  audit: Audit;
}

/**
 * Writes issues: certificate, encrypted key, event and audit entry in one transaction. Concurrent issues share it, so
 * its cost, the flush to disk above all, is paid once for all of them.
 */
export class IssueWriter {
  private readonly commit = coalesce<Issue, void>(
    (issues) => this.parts.store.transaction((tx) => this.write(tx, issues)),
    { maxBatch: 128 },
  );

  constructor(private readonly parts: IssueWriterParts) {}

  /** Issues that share their transaction with others under way. */
  shared(): IssueScope {
    return { write: this.commit };
  }

  /** Issues that belong to a transaction of the caller. */
  inside(tx: Tx): IssueScope {
    return {
      write: async (issue) => {
        const [failure] = await this.write(tx, [issue]);
        if (failure instanceof Error) throw failure;
      },
    };
  }

  private async write(tx: Tx, issues: readonly Issue[]): Promise<(void | Error)[]> {
    await shareRevocations(tx);
    const written = await insertCertificates(
      tx,
      issues.map((issue) => issue.row),
    );
    const done = issues.filter((issue) => written.has(issue.row.serial));
    await this.parts.safe.insert(
      tx,
      done.flatMap((issue) => issue.key ?? []),
    );
    await this.parts.outbox.add(tx, ...done.map((issue) => issue.event));
    await this.parts.audit.recordAll(
      tx,
      done.map((issue) => issue.audit),
    );
    if (done.length === issues.length) return issues.map(() => undefined);
    return this.outcomes(tx, issues, written);
  }

  /** A row that was not written: its serial is taken, or its key was stolen, or its entity or its issuer is gone since it was looked up. */
  private async outcomes(
    tx: Tx,
    issues: readonly Issue[],
    written: ReadonlySet<string>,
  ): Promise<(void | Error)[]> {
    const serials = issues.map((issue) => issue.row.serial);
    const taken = await takenSerials(tx, serials);
    const revoked = await revokedIssuers(tx);
    const stolen = await compromisedKeys(
      tx,
      issues.map((issue) => issue.row.spki_sha256),
    );
    return issues.map(({ row: { serial, issuer_id: issuerId, spki_sha256: key }, keyField }) => {
      if (written.has(serial)) return undefined;
      if (stolen.has(key)) return stolenKey(keyField);
      if (revoked.has(issuerId)) return caUnavailable('the issuer was revoked a moment ago');
      return taken.has(serial) ? new SerialTakenError('serial is taken') : problems.notFound();
    });
  }
}

const stolenKey = (field: string | undefined): Error =>
  keyCompromised('a certificate of this key was revoked for keyCompromise', { members: { field } });
