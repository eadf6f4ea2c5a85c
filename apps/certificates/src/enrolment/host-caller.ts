import type { Caller, Visitor } from '@glacis/http';

/** The entity that a host has proven to be, by its token or its certificate. */
export interface Host {
  tenant: string;
  entityType: string;
  entityId: string;
  /** When the proof ends. */
  until: Date;
}

/** A host as the caller of what it does for itself: a member of its tenant with no further role. */
export function hostCaller(visitor: Visitor, host: Host): Caller {
  const { requestId, traceparent, address } = visitor;
  const { tenant, entityType, entityId, until } = host;
  return {
    requestId,
    traceparent,
    address,
    tenant,
    principal: {
      subject: `${entityType}:${entityId}`,
      tenant,
      roles: ['member'],
      tokenId: '',
      issuer: 'certificates',
      expiresAt: Math.floor(until.getTime() / 1000),
    },
  };
}
