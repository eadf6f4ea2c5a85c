import type {
  CertificatesRpc,
  CertificateStatus,
  IssuedService,
  RevocationNews,
} from '@glacis/contracts';
import { status } from '@grpc/grpc-js';
import {
  CertificatesDefinition,
  Status,
  type IssuedService as IssuedMessage,
  type Revocation as RevocationMessage,
} from '../generated/certs/v1/certificates.js';
import { RpcError } from '../rpc-error.js';
import { same, wireMethod, type Wire } from './wire-method.js';

const { methods } = CertificatesDefinition;

const statusNumbers: Record<CertificateStatus, Status> = {
  valid: Status.STATUS_VALID,
  revoked: Status.STATUS_REVOKED,
  expired: Status.STATUS_EXPIRED,
};

/** `glacis.certs.v1.Certificates` (`certificates.md` 8). */
export const certificatesWire: Wire<CertificatesRpc> = {
  resolve: wireMethod(CertificatesDefinition, methods.resolve, {
    toRequest: same,
    fromRequest: same,
    toReply: (reply) => ({ ...reply, status: statusNumbers[reply.status] }),
    fromReply: (message) => ({
      ...message,
      status: statusOf(message.status),
      notAfter: present(message.notAfter),
    }),
  }),
  issueService: wireMethod(CertificatesDefinition, methods.issueService, {
    toRequest: same,
    fromRequest: (request, caller) => ({ ...request, service: ownName(request.service, caller) }),
    toReply: issuedMessage,
    fromReply: issuedOf,
  }),
  issueVm: wireMethod(CertificatesDefinition, methods.issueVm, {
    toRequest: ({ csr, tenant, vmId, ttlSeconds }) => ({ csr, tenant, vmId, ttlSeconds }),
    fromRequest: (message, caller) => ({ ...message, requestedBy: `service:${caller}` }),
    toReply: issuedMessage,
    fromReply: issuedOf,
  }),
  issueParty: wireMethod(CertificatesDefinition, methods.issueParty, {
    toRequest: ({ csr, tenant, partyId, ttlSeconds }) => ({ csr, tenant, partyId, ttlSeconds }),
    fromRequest: (message, caller) => ({ ...message, requestedBy: `service:${caller}` }),
    toReply: issuedMessage,
    fromReply: issuedOf,
  }),
  revokeEntity: wireMethod(CertificatesDefinition, methods.revokeEntity, {
    toRequest: same,
    fromRequest: same,
    toReply: same,
    fromReply: same,
  }),
  createEnrolmentToken: wireMethod(CertificatesDefinition, methods.createEnrolmentToken, {
    toRequest: ({ tenant, backendId, ttlSeconds, cidr }) => ({
      tenant,
      backendId,
      ttlSeconds,
      cidr,
    }),
    fromRequest: (message, caller) => ({ ...message, requestedBy: `service:${caller}` }),
    toReply: same,
    fromReply: (message) => ({ ...message, expiresAt: present(message.expiresAt) }),
  }),
  watchRevocations: wireMethod(CertificatesDefinition, methods.watchRevocations, {
    toRequest: same,
    fromRequest: same,
    toReply: newsMessage,
    fromReply: newsOf,
  }),
  trustBundle: wireMethod(CertificatesDefinition, methods.trustBundle, {
    toRequest: same,
    fromRequest: () => ({}),
    toReply: (bundle) => ({
      ...bundle,
      caPem: Buffer.from(bundle.caPem),
      rootsPem: Buffer.from(bundle.rootsPem),
    }),
    fromReply: (message) => ({
      ...message,
      caPem: message.caPem.toString(),
      rootsPem: message.rootsPem.toString(),
    }),
  }),
};

/** A service gets certificates in its own name only. */
function ownName(service: string, caller: string): string {
  if (service === caller) return service;
  throw new RpcError(status.PERMISSION_DENIED, 'forbidden', 'a service issues for itself only');
}

export function issuedMessage({ chainPem, caPem, notAfter }: IssuedService): IssuedMessage {
  return { chainPem: Buffer.from(chainPem), caPem: Buffer.from(caPem), notAfter };
}

export function issuedOf({ chainPem, caPem, notAfter }: IssuedMessage): IssuedService {
  return {
    chainPem: chainPem.toString(),
    caPem: caPem.toString(),
    notAfter: present(notAfter),
  };
}

function newsMessage({ sequence, revocation }: RevocationNews): RevocationMessage {
  return {
    sequence,
    serialNumber: revocation?.serialNumber ?? '',
    entityId: revocation?.entityId ?? '',
    revokedAt: revocation?.revokedAt,
    reason: revocation?.reason ?? 0,
    issuerId: revocation?.issuerId ?? '',
  };
}

function newsOf(message: RevocationMessage): RevocationNews {
  const { sequence, serialNumber, entityId, revokedAt, reason, issuerId } = message;
  if (issuerId === '') return { sequence };
  const leaf = serialNumber === '' ? {} : { serialNumber, entityId };
  return {
    sequence,
    revocation: { sequence, ...leaf, revokedAt: present(revokedAt), reason, issuerId },
  };
}

/** A status of a newer server counts as none of ours, so the reply is not taken. */
function statusOf(number: Status): CertificateStatus {
  const names = Object.keys(statusNumbers) as CertificateStatus[];
  const name = names.find((each) => statusNumbers[each] === number);
  if (name === undefined) throw new Error(`unknown status ${number}`);
  return name;
}

function present(time: Date | undefined): Date {
  if (time === undefined) throw new Error('a time is missing');
  return time;
}
