import type { NewEvent } from '@glacis/events';
import type { ClientMessage } from '@glacis/grpc';
import type { StreamFacts } from '../streams/stream.js';

/** An event or log of a manager as the bus carries it (`backends.md` 4.9): texts unchanged, `details` as base64. */
export function relayedEvent(
  stream: Pick<StreamFacts, 'backendId' | 'tenant' | 'streamId'>,
  message: Extract<ClientMessage, { kind: 'agentEvent' | 'agentLog' }>,
  receivedAt: Date,
): NewEvent {
  const about = { subject: stream.backendId, tenant: stream.tenant };
  const common = {
    backend_id: stream.backendId,
    stream_id: stream.streamId,
    received_at: receivedAt.toISOString(),
    computation_id: storable(message.value.computationId),
    ...timestampOf(message.value.timestamp),
  };
  if (message.kind === 'agentLog') {
    const { message: text, level } = message.value;
    return {
      ...about,
      type: 'backend.agent.log',
      data: { ...common, message: storable(text), level: storable(level) },
    };
  }
  const { eventType, status, originator, details } = message.value;
  return {
    ...about,
    type: 'backend.agent.event',
    data: {
      ...common,
      event_type: storable(eventType),
      status: storable(status),
      originator: storable(originator),
      details: details.toString('base64'),
    },
  };
}

/** Serial consoles print NUL, which no database stores as text. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** A time beyond RFC 3339 is a client's nonsense; the time of receipt stands beside it. */
function timestampOf(timestamp: Date | undefined): { timestamp?: string } {
  const year = timestamp?.getUTCFullYear() ?? -1;
  return timestamp && year >= 0 && year <= 9999 ? { timestamp: timestamp.toISOString() } : {};
}
