import { eventTypes, type CloudEvent, type EventData, type EventType } from '@glacis/contracts';
import { newId, type Clock } from '@glacis/runtime';
import type { BusMessage } from '../bus.js';

/** What a service tells of a change; the envelope is made around it. */
export interface NewEvent<K extends EventType = EventType> {
  type: K;
  /** Id of the aggregate: order holds among events of one topic and subject. 1 to 512 characters. */
  subject: string;
  tenant: string;
  data: EventData<K>;
  /** Trace context of the request that causes it. */
  traceparent?: string;
}

/** Longest subject: it is indexed where its events wait. */
export const maxKeyLength = 512;

/**
 * Puts the envelope around an event.
 * @param source the service that tells it
 * @throws {z.ZodError} when the data does not hold the type's schema
 * @throws {RangeError} when the subject is empty or too long
 */
export function envelop(event: NewEvent, source: string, clock: Clock): CloudEvent {
  if (event.subject.length === 0 || event.subject.length > maxKeyLength) {
    throw new RangeError(`event subject must have 1 to ${maxKeyLength} characters: ${event.type}`);
  }
  const { version, data } = eventTypes[event.type];
  return {
    specversion: '1.0',
    id: newId(clock),
    source: `/${source}`,
    type: event.type,
    subject: event.subject,
    time: clock.now().toISOString(),
    tenant: event.tenant,
    dataversion: version,
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    datacontenttype: 'application/json',
    data: data.parse(event.data),
  };
}

export function messageOf(event: CloudEvent): BusMessage {
  return {
    topic: eventTypes[event.type].topic,
    id: event.id,
    key: event.subject,
    type: event.type,
    value: JSON.stringify(event),
  };
}
