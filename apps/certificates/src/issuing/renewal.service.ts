import type { NewEvent } from '@glacis/events';
import { problems, type Caller } from '@glacis/http';
import type { AuditEntry } from '@glacis/identity';
import { oids, readCertificate, type CertificateInfo, type Csr } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import { statusOf, type CertificateRow } from '../certificates/certificate.entity.js';
import { findCertificate, linkSuccessor } from '../certificates/certificates.store.js';
import { keepForRenewal } from '../keys/retention.js';
import type { CertificatesMetrics } from '../metrics.js';
import type { TenantEntityType } from '../names/entity-directory.js';
import type { Names } from '../names/names.service.js';
import { certificateExpired, certificateRevoked, subjectMismatch } from '../problems.js';
import { revocationReasons } from '../revocation/reasons.js';
import type { Revocation } from '../revocation/revocation.service.js';
import { lockRevocations } from '../revocation/revocation.store.js';
import type { CertificatesSettings } from '../settings.js';
import { withFreeSerial, type IssueWriter } from './issue-writer.js';
import { lifeOf } from './profile-rules.js';
import { asksForTheSame } from './same-subject.js';
import type { LeafOrder, LeafSigner, SignedLeaf } from './leaf-signer.js';

export interface RenewalParts {
  store: Store;
  settings: CertificatesSettings;
  names: Names;
  signer: LeafSigner;
  writer: IssueWriter;
  revocation: Revocation;
  metrics: CertificatesMetrics;
  clock: Clock;
}

export interface RenewalWish {
  /** The life of the old certificate when it is left out. */
  ttlMs: number | undefined;
  revokeOld: boolean;
}

export interface RenewalRequest {
  serial: string;
  wish: RenewalWish;
  /** What the holder asks for: the same subject and names, for the same key or another. Default: the same key. */
  csr?: Csr;
}

/** A renewal that passed every check; nothing is signed or written. */
export interface ApprovedRenewal {
  old: CertificateRow;
  order: LeafOrder;
  /** The member of the request that names the key. */
  keyField: 'csr' | 'serial';
  revokeOld: boolean;
}

/** Renews certificates: a new serial for the same key, subject and names (`certificates.md` 4). */
export class Renewal {
  constructor(private readonly parts: RenewalParts) {}

  /**
   * @throws Problem `not-found`, `certificate-revoked`, `certificate-expired`, `subject-mismatch`, or of the name rules
   */
  async approve(caller: Caller, { serial, wish, csr }: RenewalRequest): Promise<ApprovedRenewal> {
    const old = await this.renewable(caller.tenant, serial);
    const info = readCertificate(old.der);
    const { profile } = old;
    const ttlMs = wish.ttlMs ?? Number(old.ttl_seconds) * 1000;
    const serverAuth = info.extKeyUsages.includes(oids.serverAuth);
    await this.parts.names.assertRenewable({
      caller,
      // Those of our own services belong to no tenant.
      entityType: old.entity_type as TenantEntityType,
      entityId: old.entity_id,
      names: old.names.map((name) => ({ sent: name, canonical: name })),
      serverAuth,
      profile,
    });
    if (csr && !asksForTheSame(csr, info)) throw subjectMismatch();
    const order: LeafOrder = {
      tenant: old.tenant_id,
      entityType: old.entity_type,
      entityId: old.entity_id,
      subject: info.subjectDer,
      ...keyOf(old, info, csr),
      names: old.names,
      profile,
      serverAuth,
      ttlMs: lifeOf(profile, ttlMs, ttlMs),
      renewedFrom: old.serial,
    };
    return { old, order, keyField: csr ? 'csr' : 'serial', revokeOld: wish.revokeOld };
  }

  /** @throws Problem `certificate-revoked` when it was revoked since the approval, `key-compromised` */
  async renew(tx: Tx, caller: Caller, approved: ApprovedRenewal): Promise<SignedLeaf> {
    const { old, revokeOld } = approved;
    if (revokeOld) await lockRevocations(tx);
    const leaf = await this.write(tx, caller, approved);
    await this.replace(tx, old, leaf);
    if (revokeOld) await this.revokeOld(tx, caller, old);
    tx.afterCommit(() =>
      this.parts.metrics.issued.inc({ source: 'renewal', algorithm: old.key_algorithm }),
    );
    return leaf;
  }

  private async renewable(tenant: string, serial: string): Promise<CertificateRow> {
    const row = await findCertificate(this.parts.store, serial);
    if (row === undefined || row.tenant_id !== tenant) throw problems.notFound();
    const status = statusOf(row, this.parts.clock.now());
    if (status === 'revoked') throw certificateRevoked();
    if (status === 'expired') throw certificateExpired();
    return row;
  }

  private write(
    tx: Tx,
    caller: Caller,
    { order, keyField, revokeOld }: ApprovedRenewal,
  ): Promise<SignedLeaf> {
    const scope = this.parts.writer.inside(tx);
    return withFreeSerial(async () => {
      const leaf = this.parts.signer.sign(order);
      await scope.write({
        row: leaf.row,
        keyField,
        event: renewedEvent(caller, leaf, revokeOld),
        audit: renewAudit(caller, leaf, revokeOld),
      });
      return leaf;
    });
  }

  private async replace(tx: Tx, old: CertificateRow, leaf: SignedLeaf): Promise<void> {
    const now = this.parts.clock.now();
    const link = { serial: old.serial, successor: leaf.row.serial, now };
    // Revoked since it was read, by somebody who was faster.
    if (!(await linkSuccessor(tx, link))) throw certificateRevoked();
    if (leaf.row.key_id !== null) {
      await keepForRenewal(tx, this.parts.settings.keyRetention, leaf.row.key_id, leaf.notAfter);
    }
  }

  private async revokeOld(tx: Tx, caller: Caller, old: CertificateRow): Promise<void> {
    const { requestId, traceparent } = caller;
    await this.parts.revocation.revokeLocked(tx, [
      {
        serial: old.serial,
        tenant: old.tenant_id,
        reason: revocationReasons.superseded,
        by: { actor: caller.principal.subject, requestId, traceparent },
      },
    ]);
  }
}

/** The key of the new certificate; a stored one goes with it while it is the same. */
function keyOf(
  old: CertificateRow,
  info: CertificateInfo,
  csr: Csr | undefined,
): Pick<LeafOrder, 'spki' | 'keyAlgorithm' | 'keyId' | 'additional'> {
  const additional = csr?.evidence;
  if (csr === undefined || csr.spki.equals(info.spki)) {
    return {
      spki: info.spki,
      keyAlgorithm: old.key_algorithm,
      keyId: old.key_id,
      additional,
    };
  }
  return { spki: csr.spki, keyAlgorithm: csr.keyAlgorithm, keyId: null, additional };
}

function renewedEvent(
  caller: Caller,
  { row, notAfter }: SignedLeaf,
  oldRevoked: boolean,
): NewEvent {
  return {
    type: 'certificate.renewed',
    subject: row.serial,
    tenant: row.tenant_id,
    traceparent: caller.traceparent,
    data: {
      serial_number: row.serial,
      replaces: row.renewed_from ?? '',
      old_revoked: oldRevoked,
      entity_type: row.entity_type,
      entity_id: row.entity_id,
      not_after: notAfter.toISOString(),
    },
  };
}

function renewAudit(caller: Caller, { row }: SignedLeaf, oldRevoked: boolean): AuditEntry {
  return {
    actor: caller.principal.subject,
    tenant: row.tenant_id,
    action: 'certificate.renew',
    subject: row.serial,
    requestId: caller.requestId,
    detail: { replaces: row.renewed_from, old_revoked: oldRevoked, not_after: row.not_after },
  };
}
