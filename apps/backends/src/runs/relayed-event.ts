import type { NewEvent } from '@glacis/events';
import type { ClientMessage } from '@glacis/grpc';
import type { StreamFacts } from '../streams/stream.js';

export type RunAnswer = Extract<ClientMessage, { kind: 'runResponse' | 'runResult' }>;
/** What is handed on to the other services. */
export type Relayed = Extract<ClientMessage, { kind: 'agentEvent' | 'agentLog' }> | RunAnswer;

/** An event, log or answer of a client as the bus carries it (`backends.md` 4.9): texts unchanged, `details` as base64. */
export function relayedEvent(
  stream: Pick<StreamFacts, 'backendId' | 'tenant' | 'streamId'>,
  message: Relayed,
  receivedAt: Date,
): NewEvent {
  if (message.kind === 'runResponse' || message.kind === 'runResult') {
    return answeredEvent(stream, message, receivedAt);
  }
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

function answeredEvent(
  stream: Pick<StreamFacts, 'backendId' | 'tenant' | 'streamId'>,
  message: RunAnswer,
  receivedAt: Date,
): NewEvent {
  const { computationId, error, agentPort } = answerOf(message);
  return {
    type: 'backend.run.answered',
    subject: stream.backendId,
    tenant: stream.tenant,
    data: {
      backend_id: stream.backendId,
      stream_id: stream.streamId,
      received_at: receivedAt.toISOString(),
      computation_id: computationId,
      error,
      agent_port: agentPort,
    },
  };
}

/** What a client answered to a run: managers tell the port that leads to the agent, agents what went wrong. */
export function answerOf(message: RunAnswer): {
  computationId: string;
  error: string;
  agentPort: string;
} {
  const { value } = message;
  return {
    computationId: storable(value.computationId),
    error: 'error' in value ? storable(value.error) : '',
    agentPort: 'agentPort' in value ? storable(value.agentPort) : '',
  };
}

/** Serial consoles print NUL, which no database stores as text. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** A time beyond RFC 3339 is a client's nonsense; the time of receipt stands beside it. */
function timestampOf(timestamp: Date | undefined): { timestamp?: string } {
  const year = timestamp?.getUTCFullYear() ?? -1;
  return timestamp && year >= 0 && year <= 9999 ? { timestamp: timestamp.toISOString() } : {};
}
