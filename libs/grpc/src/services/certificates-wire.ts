import type { CertificatesRpc, CertificateStatus } from '@glacis/contracts';
import { CertificatesDefinition, Status } from '../generated/certs/v1/certificates.js';
import { same, wireMethod, type Wire } from './wire-method.js';

const { methods } = CertificatesDefinition;

const statusNumbers: Record<CertificateStatus, Status> = {
  valid: Status.STATUS_VALID,
  revoked: Status.STATUS_REVOKED,
  expired: Status.STATUS_EXPIRED,
};

/**
 * `glacis.certs.v1.Certificates` (`certificates.md` 8). Revocations and the trust bundle have no unary method: they
 * travel as streams only.
 */
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
    fromRequest: same,
    toReply: ({ chainPem, caPem, notAfter }) => ({
      chainPem: Buffer.from(chainPem),
      caPem: Buffer.from(caPem),
      notAfter,
    }),
    fromReply: ({ chainPem, caPem, notAfter }) => ({
      chainPem: chainPem.toString(),
      caPem: caPem.toString(),
      notAfter: present(notAfter),
    }),
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
};

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
