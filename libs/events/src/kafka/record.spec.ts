import fc from 'fast-check';
import type { BusMessage } from '../bus.js';
import { fromRecord, toRecord, type ReceivedRecord } from './record.js';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const messages: fc.Arbitrary<BusMessage> = fc.record({
  topic: text,
  id: text,
  key: text,
  type: text,
  value: text,
});

/** The record as a broker gives it back. */
function received({ key, value, headers }: ReturnType<typeof toRecord>): ReceivedRecord {
  const bytes = Object.entries(headers).map(([name, header]) => [name, Buffer.from(header)]);
  return {
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: Object.fromEntries(bytes) as ReceivedRecord['headers'],
  };
}

test('a message comes back from its record as it was', () => {
  fc.assert(
    fc.property(messages, (message) => {
      expect(fromRecord(message.topic, received(toRecord(message)))).toEqual(message);
    }),
  );
});

test('CloudEvents Kafka binding 3.3: an event in structured mode says so in its content type', () => {
  const { headers } = toRecord({ topic: 't', id: '1', key: 'k', type: 'a.b', value: '{}' });
  expect(headers).toEqual({
    'content-type': 'application/cloudevents+json; charset=UTF-8',
    ce_id: '1',
    ce_type: 'a.b',
  });
});

test('CloudEvents Kafka binding 3.3: a structured event of somebody else needs no further headers', () => {
  const event = { specversion: '1.0', id: '1', source: '/x', type: 'a.b', subject: 's' };
  const value = JSON.stringify(event);
  const record = { key: null, value: Buffer.from(value), headers: {} };
  expect(fromRecord('t', record)).toEqual({ topic: 't', id: '1', type: 'a.b', key: 's', value });
});

test('whatever else a record holds is no message, and never an error', () => {
  const bytes = fc.option(fc.uint8Array().map((each) => Buffer.from(each)));
  const json = fc.json().map((each) => Buffer.from(each));
  fc.assert(
    fc.property(bytes, fc.oneof(bytes, json), (key, value) => {
      expect(fromRecord('t', { key, value })).toBeUndefined();
    }),
  );
});
