import { isDeepStrictEqual } from 'node:util';

/** The JSON merge patch (RFC 7396) that makes `to` of `from`; undefined where both are the same. Absent and undefined are one. */
export function mergePatch(from: unknown, to: object): object | undefined {
  const before = plain(from ?? {});
  const after = plain(to);
  const patch: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!isDeepStrictEqual(before[name], after[name]))
      patch[name] = changeOf(before[name], after[name]);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function changeOf(before: unknown, after: unknown): unknown {
  if (after === undefined) return null;
  return isMap(before) && isMap(after) ? mergePatch(before, after) : after;
}

const isMap = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const plain = (value: unknown): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
