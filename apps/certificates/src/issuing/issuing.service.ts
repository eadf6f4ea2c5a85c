import type { NewEvent } from '@glacis/events';
import type { AuditEntry } from '@glacis/identity';
import type { Caller } from '@glacis/http';
import { spkiOf } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import { eraseAtIssue } from '../keys/retention.js';
import type { KeySafe, SealedKey } from '../keys/key-safe.js';
import type { LeafKeys } from '../keys/leaf-keys.js';
import type { CertificatesMetrics } from '../metrics.js';
import type { TenantEntityType } from '../names/entity-directory.js';
import type { Names } from '../names/names.service.js';
import { profileNeedsCsr } from '../problems.js';
import type { CertificatesSettings } from '../settings.js';
import type { RejectedCsr, WantedByCsr } from './csr-request.js';
import { namesOf, subjectOf, type IssueBody } from './issue-request.js';
import { withFreeSerial, type IssueScope } from './issue-writer.js';
import { lifeOf, profileOf, type Profile } from './profile-rules.js';
import type { LeafOrder, LeafSigner, SignedLeaf } from './leaf-signer.js';

export interface IssuingParts {
  settings: CertificatesSettings;
  names: Names;
  signer: LeafSigner;
  safe: KeySafe;
  keys: LeafKeys;
  metrics: CertificatesMetrics;
  clock: Clock;
}

/** The entity of the caller's tenant that a certificate is for. */
export interface Target {
  entityType: TenantEntityType;
  entityId: string;
}

export interface IssueRequest {
  target: Target;
  wish: IssueBody;
}

export interface CsrRequest {
  target: Target;
  wanted: WantedByCsr | RejectedCsr;
  ttlMs: number | undefined;
  /** Undefined: that of the entity type. */
  profile: Profile | null | undefined;
  source: 'csr' | 'est';
}

type Source = 'server' | CsrRequest['source'];

/** Who asked, for the event and the audit entry. */
export interface Origin {
  actor: string;
  tenant: string;
  requestId?: string;
  traceparent?: string;
}

/** A leaf that may be issued: every check has passed, nothing is signed or written. */
export interface ApprovedIssue {
  order: LeafOrder;
  source: Source;
  origin: Origin;
  /** Of the leaf, where we made it. */
  key?: SealedKey;
}

const originOf = (caller: Caller): Origin => ({
  actor: caller.principal.subject,
  tenant: caller.tenant,
  requestId: caller.requestId,
  traceparent: caller.traceparent,
});

/** Issues certificates (`certificates.md` 3.1): checks, key, signature, then one transaction. */
export class Issuing {
  constructor(private readonly parts: IssuingParts) {}

  /**
   * With a key made by us, which is stored encrypted. Takes as long as the key does.
   * @throws Problem of the name rules, `profile-needs-csr`, and `rate-limited` or `ca-unavailable` when too many keys are asked for
   */
  async approve(caller: Caller, { target, wish }: IssueRequest): Promise<ApprovedIssue> {
    const { settings, names, safe } = this.parts;
    const wanted = namesOf(wish);
    const profile = wish.profile ?? 'standard';
    const serverAuth = wish.server_auth ?? false;
    await names.assertIssuable({ caller, ...target, names: wanted, serverAuth, profile });
    if (profile === 'short') throw profileNeedsCsr();
    const keyAlgorithm = wish.key_algorithm ?? settings.keyAlgorithm;
    const keys = await this.parts.keys.make(caller.tenant, keyAlgorithm);
    const key = safe.seal(keys.privateKey, 'leaf');
    const order: LeafOrder = {
      tenant: caller.tenant,
      ...target,
      subject: subjectOf(target.entityId, settings.organization, wish.options),
      spki: spkiOf(keys.publicKey),
      keyAlgorithm,
      keyId: key.id,
      names: wanted.map((name) => name.canonical),
      profile,
      serverAuth,
      ttlMs: lifeOf(profile, wish.ttl, settings.defaultTtl),
    };
    return { order, source: 'server', origin: originOf(caller), key };
  }

  /**
   * With the key of a CSR, which its holder made.
   * @throws Problem of the name rules, `csr-rejected`, `malformed` for a life that the profile does not allow
   */
  async approveCsr(caller: Caller, request: CsrRequest): Promise<ApprovedIssue> {
    const { target, wanted, source } = request;
    const { settings } = this.parts;
    const profile = profileOf({ ...request, entityType: target.entityType });
    const ttlMs = lifeOf(profile, request.ttlMs, settings.defaultTtl);
    const asked = { caller, ...target, profile };
    if ('rejection' in wanted) {
      await this.parts.names.assertIssuable({ ...asked, names: [], serverAuth: false });
      throw wanted.rejection;
    }
    const { csr, names } = wanted;
    const { serverAuth } = csr;
    await this.parts.names.assertIssuable({ ...asked, names, serverAuth });
    const order: LeafOrder = {
      tenant: caller.tenant,
      ...target,
      subject: subjectOf(target.entityId, settings.organization, null),
      spki: csr.spki,
      keyAlgorithm: csr.keyAlgorithm,
      keyId: null,
      names: names.map((name) => name.canonical),
      profile,
      serverAuth,
      ttlMs,
      additional: csr.evidence,
    };
    return { order, source, origin: originOf(caller) };
  }

  /** Signs and writes; a serial that is taken is drawn again. */
  async write(scope: IssueScope, approved: ApprovedIssue): Promise<SignedLeaf> {
    const { order, source, origin, key } = approved;
    const leaf = await withFreeSerial(async () => {
      const signed = this.parts.signer.sign(order);
      await scope.write({
        row: signed.row,
        key: key && this.kept(key, signed),
        keyField: key ? undefined : 'csr',
        event: issuedEvent(signed, source, origin),
        audit: issueAudit(signed, source, origin),
      });
      return signed;
    });
    this.parts.metrics.issued.inc({ source, algorithm: order.keyAlgorithm });
    return leaf;
  }

  private kept(key: SealedKey, { notAfter }: SignedLeaf): SealedKey {
    const { settings, clock } = this.parts;
    return { ...key, erase_at: eraseAtIssue(settings.keyRetention, clock.now(), notAfter) };
  }
}

function issuedEvent(leaf: SignedLeaf, source: Source, origin: Origin): NewEvent {
  const { row, notAfter } = leaf;
  return {
    type: 'certificate.issued',
    subject: row.serial,
    tenant: origin.tenant,
    traceparent: origin.traceparent,
    data: {
      serial_number: row.serial,
      entity_type: row.entity_type,
      entity_id: row.entity_id,
      issuer_id: row.issuer_id,
      not_after: notAfter.toISOString(),
      source,
    },
  };
}

function issueAudit(leaf: SignedLeaf, source: Source, origin: Origin): AuditEntry {
  const { row } = leaf;
  return {
    actor: origin.actor,
    tenant: origin.tenant,
    action: 'certificate.issue',
    subject: row.serial,
    requestId: origin.requestId,
    detail: {
      entity_type: row.entity_type,
      entity_id: row.entity_id,
      names: row.names,
      not_after: leaf.notAfter,
      source,
    },
  };
}
