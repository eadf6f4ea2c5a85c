import { z } from 'zod';
import type { BusMessage } from '../bus.js';

/**
 * A message in the structured mode of the Kafka protocol binding for CloudEvents 1.0 (its section 3.3): the value is
 * the event in JSON, the `content-type` says so. Its id and type also stand in the headers of the binary mode, which
 * the binding allows (3.3.2), so that a consumer passes over what it has no handler for without reading it.
 */
export interface KafkaRecord {
  key: string;
  value: string;
  headers: Record<string, string>;
}

const contentType = 'application/cloudevents+json; charset=UTF-8';

export function toRecord({ id, key, type, value }: BusMessage): KafkaRecord {
  return { key, value, headers: { 'content-type': contentType, ce_id: id, ce_type: type } };
}

/** A record as it comes; somebody else may have written it. */
export interface ReceivedRecord {
  key: Buffer | null;
  value: Buffer | null;
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

interface Attributes {
  id: string;
  type: string;
  subject: string;
}

/** The message in a record; undefined for what is no CloudEvent in structured mode. */
export function fromRecord(topic: string, record: ReceivedRecord): BusMessage | undefined {
  const value = record.value?.toString() ?? '';
  const attributes = inHeaders(record.headers ?? {}) ?? inJson(value);
  if (!attributes) return undefined;
  const { id, type, subject } = attributes;
  return { topic, id, type, key: record.key?.toString() ?? subject, value };
}

function inHeaders(headers: NonNullable<ReceivedRecord['headers']>): Attributes | undefined {
  const { ce_id: id, ce_type: type } = headers;
  if (id === undefined || type === undefined) return undefined;
  return { id: id.toString(), type: type.toString(), subject: '' };
}

/** Only `id`, `source`, `specversion` and `type` are required of an event; a record without key has its subject for one. */
const envelope = z.object({ id: z.string(), type: z.string(), subject: z.string().default('') });

function inJson(value: string): Attributes | undefined {
  try {
    return envelope.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
