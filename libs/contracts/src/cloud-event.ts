import { z } from 'zod';
import { eventTypes, type EventData, type EventType } from './event-types.js';

/** A CloudEvents 1.0 envelope (JSON format) with the extensions `tenant`, `dataversion` and `traceparent`. */
export interface CloudEvent<K extends EventType = EventType> {
  specversion: '1.0';
  /** UUIDv7, unique; the inbox recognises a redelivery by it. */
  id: string;
  /** The service that wrote it, as `/backends`. */
  source: string;
  type: K;
  /** The aggregate id: the key by which order holds. */
  subject: string;
  /** RFC 3339 UTC. */
  time: string;
  tenant: string;
  dataversion: number;
  /** W3C trace context of the request that caused it. */
  traceparent?: string;
  datacontenttype: 'application/json';
  data: EventData<K>;
}

const envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string(),
  time: z.iso.datetime(),
  tenant: z.string(),
  dataversion: z.number().int().positive(),
  traceparent: z.string().optional(),
  datacontenttype: z.literal('application/json'),
  data: z.unknown(),
});

/** True when this build knows the type; others are skipped, as newer services may send them. */
export function isEventType(type: string): type is EventType {
  return Object.hasOwn(eventTypes, type);
}

/**
 * Checks an envelope and its data against the schema of its type. Members that this build does not know are
 * kept out of `data`, as events are only ever extended.
 * @throws {z.ZodError} when the envelope or the data does not hold.
 */
export function parseEvent(input: unknown): CloudEvent {
  const event = envelope.parse(input);
  if (!isEventType(event.type)) {
    throw new z.ZodError([
      {
        code: 'custom',
        path: ['type'],
        message: `unknown event type ${event.type}`,
        input: event.type,
      },
    ]);
  }
  return { ...event, data: eventTypes[event.type].data.parse(event.data) } as CloudEvent;
}
