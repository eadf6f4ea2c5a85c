import { randomFillSync } from 'node:crypto';
import { systemClock, type Clock } from './clock.js';

const pool = Buffer.allocUnsafe(10 * 256);
let used = pool.length;

function tenRandomBytes(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 10;
  return pool.subarray(used - 10, used);
}

/**
 * A UUID of version 7 (RFC 9562, 5.7) in lower case: 48 bits of Unix milliseconds, then 74 random bits.
 * Ids made in different milliseconds sort by time; within one millisecond they do not.
 */
export function newId(clock: Clock = systemClock): string {
  const random = tenRandomBytes();
  random.writeUInt8(0x70 | (random.readUInt8(0) & 0x0f), 0);
  random.writeUInt8(0x80 | (random.readUInt8(2) & 0x3f), 2);
  const time = clock.now().getTime().toString(16).padStart(12, '0');
  const rest = random.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`;
}
