/** Small things about JSON values. Keys are data: nothing here reads what an object inherits. */
import type { JsonObject } from './graph.js';

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of that very name, if `value` is an object that has it. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Members of a value that should be an object; none where it is something else. */
export function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

/** JSON pointer (RFC 6901) to `key` below `path`. */
export function pointer(path: string, ...keys: (string | number)[]): string {
  let at = path;
  for (const key of keys) at = `${at}/${typeof key === 'number' ? key : escaped(key)}`;
  return at;
}

/** Few keys need it, and there are many. */
function escaped(key: string): string {
  if (!key.includes('/') && !key.includes('~')) return key;
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Whether lists and objects lie in one another deeper than `limit`, which is also how deep it calls itself. */
export function deeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return limit <= 0 || Object.values(value).some((member) => deeperThan(member, limit - 1));
}
