import { createHash } from 'node:crypto';
import { isObject } from './json.js';

/** What tells one content of `spec.graph` from another (graph-apps.md 6.6): 32 hex digits. */
export function hashOf(graph: unknown): string {
  return createHash('md5').update(canonicalText(graph)).digest('hex');
}

/** The one JSON text of a value: equal for equal values in whatever order their keys stand. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(', ')}]`;
  if (!isObject(value)) return scalarText(value);
  const members = Object.keys(value)
    .toSorted(compareCodePoints)
    .map((key) => `${scalarText(key)}: ${canonicalText(value[key])}`);
  return `{${members.join(', ')}}`;
}

function scalarText(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** JavaScript sorts by UTF-16 units, where characters beyond U+FFFF come before those from U+E000. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Puts the halves of characters beyond U+FFFF behind all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
