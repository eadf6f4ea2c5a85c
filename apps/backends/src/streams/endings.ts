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
  /** False: the client has ended the call itself, and may open another over its connection. */
  closesConnection: boolean;
}

const CLOSED = 'Backend Closed';
const REPLACED = 'Backend Replaced';

export const endings = {
  terminated: {
    reason: 'terminated',
    terminate: CLOSED,
    code: status.OK,
    details: '',
    closesConnection: true,
  },
  revoked: {
    reason: 'revoked',
    terminate: CLOSED,
    code: status.UNAUTHENTICATED,
    details: 'certificate revoked',
    closesConnection: true,
  },
  expired: {
    reason: 'expired',
    terminate: CLOSED,
    code: status.UNAUTHENTICATED,
    details: 'certificate expired',
    closesConnection: true,
  },
  replaced: {
    reason: 'replaced',
    terminate: REPLACED,
    code: status.ABORTED,
    details: 'replaced by a newer stream',
    closesConnection: true,
  },
  /** The slot is gone, or nothing can be recorded any more: the manager may find a better replica. */
  lost: {
    reason: 'replica_lost',
    terminate: null,
    code: status.UNAVAILABLE,
    details: 'the stream cannot be kept',
    closesConnection: true,
  },
  shutdown: {
    reason: 'shutdown',
    terminate: null,
    code: status.UNAVAILABLE,
    details: 'the service shuts down',
    closesConnection: true,
  },
  undecodable: {
    reason: 'closed',
    terminate: null,
    code: status.INVALID_ARGUMENT,
    details: 'undecodable message',
    closesConnection: true,
  },
  /** No event can carry what the client has said. */
  untellable: {
    reason: 'closed',
    terminate: null,
    code: status.INVALID_ARGUMENT,
    details: 'message too long to be handed on',
    closesConnection: true,
  },
  /** The client has ended the stream, or its connection broke. */
  closed: {
    reason: 'closed',
    terminate: null,
    code: status.OK,
    details: '',
    closesConnection: false,
  },
  keepalive: {
    reason: 'keepalive',
    terminate: null,
    code: status.OK,
    details: '',
    closesConnection: true,
  },
} as const satisfies Record<string, Ending>;
