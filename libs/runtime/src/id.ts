import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from './clock.js';

/** The last time that was written out: under load many ids share a millisecond. */
let last = { ms: -1, text: '' };

function timePart(ms: number): string {
  if (ms !== last.ms) {
    const hex = ms.toString(16).padStart(12, '0');
    last = { ms, text: `${hex.slice(0, 8)}-${hex.slice(8)}` };
  }
  return last.text;
}

/**
 * A UUID of version 7 (RFC 9562, 5.7) in lower case: 48 bits of Unix milliseconds, then 74 random bits.
 * Ids made in different milliseconds sort by time; within one millisecond they do not.
 */
export function newId(clock: Clock = systemClock): string {
  // All after the version digit is the same in a UUID of version 4: random bits and the variant.
  return `${timePart(clock.now().getTime())}-7${randomUUID().slice(15)}`;
}
