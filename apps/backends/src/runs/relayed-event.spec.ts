import { eventTypes } from '@glacis/contracts';
import * as fc from 'fast-check';
import { relayedEvent } from './relayed-event.js';

const stream = { backendId: 'b', tenant: 't', streamId: 's' };
const text = fc.string({ unit: 'binary' });
const timestamp = fc.option(fc.date({ noInvalidDate: true }), { nil: undefined });

it('whatever a manager sends fits the schema of its event and what a database stores', () => {
  const log = fc.record({ message: text, level: text, computationId: text, timestamp });
  const event = fc.record({
    eventType: text,
    status: text,
    originator: text,
    computationId: text,
    timestamp,
    details: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(log, event, (logged, happened) => {
      for (const message of [
        { kind: 'agentLog', value: logged } as const,
        { kind: 'agentEvent', value: happened } as const,
      ]) {
        const relayed = relayedEvent(stream, message, new Date('2026-11-21T10:00:00Z'));
        expect(eventTypes[relayed.type].data.safeParse(relayed.data).error).toBeUndefined();
        expect(Object.values(relayed.data).join('')).not.toContain('\0');
      }
    }),
  );
});
