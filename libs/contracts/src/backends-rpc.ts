import type { EventType } from './event-types.js';

/** What other services may ask of `backends` (`backends.md` 11). */
export interface BackendsRpc {
  /** To whom names belong, as the name rules of `certificates.md` 2.5 need it. */
  checkNames(request: CheckNamesRequest): Promise<CheckNamesReply>;
  /** A backend by id, whatever its tenant. NOT_FOUND when unknown. */
  get(request: { id: string }): Promise<BackendSummary>;
  /** Sends a run; `computationRunReq` has the field numbers of `v0.3` and is converted per dialect. */
  run(request: { backendId: string; computationRunReq: Buffer }): Promise<RunReply>;
  stop(request: { backendId: string; computationId: string }): Promise<Record<string, never>>;
  /**
   * What happens to the backends of a tenant, from now on, until the signal. It may end at any time, and nothing is
   * repeated: begin anew then and read what there is. RESOURCE_EXHAUSTED for who is too slow to be told everything.
   */
  watch(request: { tenant: string }, signal: AbortSignal): AsyncIterable<BackendEvent>;
  /** `requestedBy` does not travel between processes: it is then the calling service, as its certificate says. */
  terminate(request: {
    backendId: string;
    type: 0 | 1;
    reason?: string;
    requestedBy: string;
  }): Promise<{ requestId: string }>;
}

/** What `watch` tells. */
export const backendEventTypes = [
  'backend.created',
  'backend.updated',
  'backend.deleted',
  'backend.connected',
  'backend.disconnected',
  'backend.termination.requested',
  'backend.terminated',
] as const satisfies EventType[];

export interface BackendEvent {
  id: string;
  type: (typeof backendEventTypes)[number];
  time: Date;
  tenant: string;
  /** The backend. */
  subject: string;
  /** By the schema of its type. */
  data: unknown;
}

export interface CheckNamesRequest {
  tenant: string;
  backendId: string;
  /** What the backend must be: a host or one confidential VM. */
  entityType: 'backend' | 'cvm';
  names: string[];
}

/** 0 nobody, 1 this backend, 2 its tenant, 3 another tenant. */
export type NameHolder = 0 | 1 | 2 | 3;

export interface CheckNamesReply {
  exists: boolean;
  /** No other tenant registered the backend's address before it. */
  addressIsOurs: boolean;
  /** In the order of the names asked. */
  holders: NameHolder[];
}

export interface BackendSummary {
  id: string;
  tenant: string;
  name: string;
  address: string;
}

export interface RunReply {
  accepted: boolean;
  /** 0 when sent at once. */
  queuePosition: number;
}
