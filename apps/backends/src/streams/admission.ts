import { status } from '@glacis/grpc';
import type { ResolvedCertificate } from '@glacis/contracts';
import type { BackendType } from '../backends/backend.js';

/** What the TLS handshake proved. */
export interface PresentedCertificate {
  serial: string;
  issuerId: string;
  /** Lower-case hex without colons. */
  fingerprintSha256: string;
  notAfter: Date;
}

export interface AdmissionFacts {
  presented: PresentedCertificate;
  resolved: ResolvedCertificate | 'unknown' | 'unavailable';
  /** What the port that was dialled is for. */
  entityType: BackendType;
  /** The backend that the certificate names, if it exists and is not being deleted. */
  backend: { tenant: string; entityType: BackendType } | undefined;
}

export type RefusalReason =
  | 'status_unavailable'
  | 'unknown_certificate'
  | 'revoked'
  | 'expired'
  | 'other_certificate'
  | 'wrong_entity_type'
  | 'unknown_backend'
  | 'other_tenant'
  | 'reconnect_limit'
  | 'blocked'
  | 'client_gone'
  | 'shutting_down';

/** A call that was not let in. */
export interface Refusal {
  reason: RefusalReason;
  /** Whose certificate it was, as far as that is known. */
  tenant: string | null;
}

/** Codes of `backends.md` 4.2 step 4. */
export const refusalCodes: Record<RefusalReason, status> = {
  status_unavailable: status.UNAVAILABLE,
  unknown_certificate: status.UNAUTHENTICATED,
  revoked: status.UNAUTHENTICATED,
  expired: status.UNAUTHENTICATED,
  other_certificate: status.UNAUTHENTICATED,
  wrong_entity_type: status.PERMISSION_DENIED,
  unknown_backend: status.PERMISSION_DENIED,
  other_tenant: status.PERMISSION_DENIED,
  reconnect_limit: status.RESOURCE_EXHAUSTED,
  blocked: status.RESOURCE_EXHAUSTED,
  client_gone: status.CANCELLED,
  shutting_down: status.UNAVAILABLE,
};

/** Why the stream may not be opened; undefined: it may. Whatever is not known for certain refuses. */
export function refusalOf(facts: AdmissionFacts): RefusalReason | undefined {
  const { resolved } = facts;
  if (resolved === 'unavailable') return 'status_unavailable';
  if (resolved === 'unknown') return 'unknown_certificate';
  return refusalOfCertificate(facts.presented, resolved) ?? refusalOfEntity(facts, resolved);
}

function refusalOfCertificate(
  presented: PresentedCertificate,
  resolved: ResolvedCertificate,
): RefusalReason | undefined {
  if (resolved.status !== 'valid') return resolved.status;
  const same =
    resolved.issuerId === presented.issuerId &&
    resolved.fingerprintSha256 === presented.fingerprintSha256;
  return same ? undefined : 'other_certificate';
}

function refusalOfEntity(
  facts: AdmissionFacts,
  resolved: ResolvedCertificate,
): RefusalReason | undefined {
  if (resolved.entityType !== facts.entityType) return 'wrong_entity_type';
  if (facts.backend?.entityType !== facts.entityType) return 'unknown_backend';
  return facts.backend.tenant === resolved.tenant ? undefined : 'other_tenant';
}
