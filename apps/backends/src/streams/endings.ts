import { status } from '@glacis/grpc';
import type { DisconnectReason } from './stream.js';

/** How a stream is ended from our side (`backends.md` 5). */
export interface Ending {
  reason: DisconnectReason;
  /** Text of the Terminate sent before; null: none, so that supervised managers come back. */
  terminate: string | null;
  code: status;
  /** Text of the call's status. */
  details: string;
}

const CLOSED = 'Backend Closed';
const REPLACED = 'Backend Replaced';

export const endings = {
  terminated: { reason: 'terminated', terminate: CLOSED, code: status.OK, details: '' },
  revoked: {
    reason: 'revoked',
    terminate: CLOSED,
    code: status.UNAUTHENTICATED,
    details: 'certificate revoked',
  },
  expired: {
    reason: 'expired',
    terminate: CLOSED,
    code: status.UNAUTHENTICATED,
    details: 'certificate expired',
  },
  replaced: {
    reason: 'replaced',
    terminate: REPLACED,
    code: status.ABORTED,
    details: 'replaced by a newer stream',
  },
  /** The slot is gone, or nothing can be recorded any more: the manager may find a better replica. */
  lost: {
    reason: 'replica_lost',
    terminate: null,
    code: status.UNAVAILABLE,
    details: 'the stream cannot be kept',
  },
  shutdown: {
    reason: 'shutdown',
    terminate: null,
    code: status.UNAVAILABLE,
    details: 'the service shuts down',
  },
  undecodable: {
    reason: 'closed',
    terminate: null,
    code: status.INVALID_ARGUMENT,
    details: 'undecodable message',
  },
  /** The client has ended the stream, or its connection broke. */
  closed: { reason: 'closed', terminate: null, code: status.OK, details: '' },
  keepalive: { reason: 'keepalive', terminate: null, code: status.OK, details: '' },
} as const satisfies Record<string, Ending>;
