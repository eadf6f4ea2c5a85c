import { eventTypes, type EventType } from '@glacis/contracts';

/** The topics on which events of these types travel. */
export function topicsOf(types: Iterable<EventType>): string[] {
  return [...new Set([...types].map((type) => eventTypes[type].topic))];
}
