import { familyOf } from '../streams/stream-family.js';

/**
 * What a backend is, and so the entity type of its certificates: a host whose manager dials us, or one confidential VM
 * whose agent does (`backends.md` 1).
 */
export const entityTypes = ['backend', 'cvm'] as const;
export type BackendType = (typeof entityTypes)[number];

/** A row of `backends` with what is known of its live stream. */
export interface Backend {
  id: string;
  tenant: string;
  entityType: BackendType;
  /** Of a VM: the backend that it runs on, where that is one of ours. */
  host: string | null;
  name: string;
  description: string;
  address: string;
  pin: string | null;
  seen: string | null;
  version: string | null;
  lastSeen: Date | null;
  lastSerial: string | null;
  rowVersion: number;
  active: boolean;
}

/** What a caller may set. */
export interface BackendInput {
  name: string;
  description: string;
  address: string;
  /** `undefined`: as it was. */
  protocol?: string;
}

/** What a caller says of a new backend once and for all. */
export interface NewBackendInput extends BackendInput {
  entityType: BackendType;
  host?: string;
}

/** True of a `protocol` that the clients of such a backend may speak, and of what leaves it open. */
export function isProtocolOf(entityType: BackendType, protocol: string | undefined): boolean {
  if (protocol === undefined || protocol === 'auto') return true;
  return familyOf(entityType).dialects.some((name) => name === protocol);
}

/**
 * The object of `backends.md` 2.3, keys in its order; a backend that never connected and has no pin shows its original
 * four only.
 */
export function backendJson(backend: Backend): Record<string, unknown> {
  return {
    id: backend.id,
    name: backend.name,
    description: backend.description || undefined,
    address: backend.address,
    active: backend.active || undefined,
    last_seen: backend.lastSeen ?? undefined,
    protocol: backend.pin ?? backend.seen ?? undefined,
    certificate_serial: backend.lastSerial ?? undefined,
    version: backend.version ?? undefined,
    ...(backend.entityType === 'cvm' && vmMembers(backend)),
  };
}

/** A VM counts as unverified as long as nobody has verified its evidence (`certificates.md` 15.2). */
function vmMembers({ host }: Backend): Record<string, unknown> {
  return { entity_type: 'cvm', host: host ?? undefined, verdict: 'unverified' };
}
