import { parseEvent, type CloudEvent } from '@glacis/contracts';
import type { BusMessage } from '../bus.js';
import { causeText } from '../failures/cause.js';
import { maxKeyLength } from '../outbox/new-event.js';

/** A message as a consumer sees it: an event, or a fault that no retry can mend. */
export type Received =
  | { message: BusMessage; event: CloudEvent; fault?: never }
  | { message: BusMessage; event?: never; fault: UnreadableEventError };

/** The text of a message does not hold what its type promises. */
export class UnreadableEventError extends Error {
  override readonly name = 'UnreadableEventError';
  readonly code = 'unreadable_event';
}

/** Reads and checks a message against the schema of its type. */
export function receive(raw: BusMessage): Received {
  const message = storable(raw);
  try {
    return { message, event: read(message) };
  } catch (error) {
    return { message, fault: new UnreadableEventError(causeText(error)) };
  }
}

function read(message: BusMessage): CloudEvent {
  const event = parseEvent(JSON.parse(message.value));
  if (event.type !== message.type || event.id !== message.id) {
    throw new Error('id or type of the envelope differ from those of the message');
  }
  return event;
}

function bounded(text: string, length: number): string {
  return text.replaceAll('\u0000', '\ufffd').slice(0, length);
}

/** A broker may hand us what an indexed text column cannot hold; then it must still get to the dead letters. */
function storable(message: BusMessage): BusMessage {
  return {
    topic: message.topic,
    id: bounded(message.id, maxKeyLength),
    key: bounded(message.key, maxKeyLength),
    type: bounded(message.type, maxKeyLength),
    value: bounded(message.value, Infinity),
  };
}
