import type { EventData } from '@glacis/contracts';
import { systemClock } from '@glacis/runtime';
import type { BusMessage } from '../src/bus.js';
import { envelop, messageOf, type NewEvent } from '../src/outbox/new-event.js';

export const topic = 'backend';

export function backendUpdated(key: string, name: string): NewEvent<'backend.updated'> {
  const data: EventData<'backend.updated'> = {
    backend_id: key,
    name,
    address: '192.0.2.1:7020',
    changed: ['name'],
  };
  return { type: 'backend.updated', subject: key, tenant: 'tenant-1', data };
}

/** A valid message of an event `backend.updated`, which bears its number as the backend's name. */
export function message(key: string, name: string): BusMessage {
  return messageOf(envelop(backendUpdated(key, name), 'source', systemClock));
}

export function nameOf({ value }: BusMessage): string {
  return (JSON.parse(value) as { data: { name: string } }).data.name;
}
