import type { NewEvent } from '@glacis/events';
import type { ClosedRequest, TerminationRequest } from '../terminations/terminations.store.js';
import { connectionMember, type StreamClosing } from './stream.js';

/** What the bus is told of an ended stream: each request that it settles, then the end itself. */
export function closingEvents(
  closing: StreamClosing,
  settled: readonly ClosedRequest[],
  ofTheSystem: TerminationRequest | undefined,
): NewEvent[] {
  const about = { subject: closing.backendId, tenant: closing.tenant };
  const closed = {
    backend_id: closing.backendId,
    stream_id: closing.streamId,
    closed_at: closing.closedAt.toISOString(),
  };
  const terminated = (id: string, type: 0 | 1, deliveredAt: Date | null): NewEvent => ({
    ...about,
    type: 'backend.terminated',
    data: { ...closed, request_id: id, termination_type: type, delivered: deliveredAt !== null },
  });
  return [
    ...(ofTheSystem ? [requestedEvent(ofTheSystem)] : []),
    ...settled.map((request) => terminated(request.id, request.type, request.delivered_at)),
    ...(ofTheSystem ? [terminated(ofTheSystem.id, ofTheSystem.type, ofTheSystem.deliveredAt)] : []),
    {
      ...about,
      type: 'backend.disconnected',
      data: {
        ...closed,
        reason: closing.reason,
        opened_at: closing.openedAt.toISOString(),
        ...connectionMember(closing),
      },
    },
  ];
}

export function requestedEvent(request: TerminationRequest): NewEvent {
  return {
    type: 'backend.termination.requested',
    subject: request.backendId,
    tenant: request.tenant,
    data: {
      request_id: request.id,
      backend_id: request.backendId,
      ...(request.streamId === null ? {} : { stream_id: request.streamId }),
      termination_type: request.type,
      ...(request.reason === null ? {} : { reason: request.reason }),
      requested_by: request.requestedBy,
    },
  };
}
