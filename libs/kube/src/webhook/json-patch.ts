import { isDeepStrictEqual } from 'node:util';

/** RFC 6902, as far as an API server needs it of a webhook. */
export type JsonPatchOperation =
  { op: 'add' | 'replace'; path: string; value: unknown } | { op: 'remove'; path: string };

/**
 * The JSON patch that makes `to` of `from`; empty where both say the same. Members that are undefined are absent. Only what
 * differs is named, so that what others change meanwhile stays: of a list its common beginning and end are left alone.
 */
export function jsonPatch(from: object, to: object): JsonPatchOperation[] {
  return [...difference(plain(from), plain(to), '')];
}

function* difference(from: unknown, to: unknown, path: string): Generator<JsonPatchOperation> {
  if (isDeepStrictEqual(from, to)) return;
  if (Array.isArray(from) && Array.isArray(to)) yield* inList(from, to, path);
  else if (isMap(from) && isMap(to)) yield* inMap(from, to, path);
  else yield { op: 'replace', path, value: to };
}

function* inMap(from: JsonMap, to: JsonMap, path: string): Generator<JsonPatchOperation> {
  for (const name of Object.keys(from)) {
    if (!Object.hasOwn(to, name)) yield { op: 'remove', path: `${path}/${escaped(name)}` };
  }
  for (const [name, value] of Object.entries(to)) {
    const at = `${path}/${escaped(name)}`;
    if (Object.hasOwn(from, name)) yield* difference(from[name], value, at);
    else yield { op: 'add', path: at, value };
  }
}

/** Between the common beginning and end, elements are changed in their places; then the rest is removed or inserted. */
function* inList(from: unknown[], to: unknown[], path: string): Generator<JsonPatchOperation> {
  const shorter = Math.min(from.length, to.length);
  const head = commonLength(from, to, shorter);
  const tail = commonLength(from.toReversed(), to.toReversed(), shorter - head);
  const fromEnd = from.length - tail;
  const toEnd = to.length - tail;
  const both = Math.min(fromEnd, toEnd);
  for (let i = head; i < both; i += 1) yield* difference(from[i], to[i], `${path}/${i}`);
  for (let i = fromEnd - 1; i >= both; i -= 1) yield { op: 'remove', path: `${path}/${i}` };
  for (let i = both; i < toEnd; i += 1) yield { op: 'add', path: `${path}/${i}`, value: to[i] };
}

function commonLength(one: unknown[], other: unknown[], limit: number): number {
  let length = 0;
  while (length < limit && isDeepStrictEqual(one[length], other[length])) length += 1;
  return length;
}

type JsonMap = Record<string, unknown>;

const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 6901, section 3 */
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const plain = (value: object): unknown => JSON.parse(JSON.stringify(value));
