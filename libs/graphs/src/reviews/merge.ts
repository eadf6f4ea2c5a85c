import type { JsonObject } from '../graph.js';
import { isObject, member } from '../json.js';

/** A part of a pod with a template of a preset merged into it, by the table of 5.4. Merging twice changes nothing. */
export function merge(present: JsonObject, template: JsonObject): JsonObject {
  const wanted = Object.entries(template).filter(([, value]) => value !== null);
  const merged = wanted.map(([key, value]) => [key, mergedValue(key, member(present, key), value)]);
  return { ...present, ...Object.fromEntries(merged) };
}

function mergedValue(key: string, present: unknown, wanted: unknown): unknown {
  if (present === undefined || present === null) return wanted;
  if (Array.isArray(present) && Array.isArray(wanted)) {
    return [...wanted.filter((each) => !isThere(key, each, present)), ...present];
  }
  if (!isObject(present) || !isObject(wanted)) return present;
  return key === 'resources' ? withResources(present, wanted) : { ...present, ...wanted };
}

/** A variable that the container sets itself keeps its value. */
function isThere(key: string, wanted: unknown, present: readonly unknown[]): boolean {
  const name = key === 'env' ? member(wanted, 'name') : undefined;
  return present.some(
    (each) => contains(each, wanted) || (name !== undefined && member(each, 'name') === name),
  );
}

/**
 * Whether all that is wanted is there, whatever else there is: the API server adds defaults. What is empty it leaves out, so
 * that `readOnly: false` comes back as nothing.
 */
function contains(present: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(present) &&
      wanted.every((element) => present.some((each) => contains(each, element)))
    );
  }
  if (!isObject(wanted)) return present === wanted;
  return (
    isObject(present) &&
    Object.entries(wanted).every(([key, value]) =>
      Object.hasOwn(present, key) ? contains(present[key], value) : isEmpty(value),
    )
  );
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === false || value === '' || value === 0;

/** Limits and requests name by name; whatever else there may be as any object. */
function withResources(present: JsonObject, wanted: JsonObject): JsonObject {
  const amounts = ['limits', 'requests'].filter((kind) => isObject(wanted[kind]));
  const merged = amounts.map((kind) => [
    kind,
    { ...(present[kind] as JsonObject | undefined), ...(wanted[kind] as JsonObject) },
  ]);
  return { ...present, ...wanted, ...Object.fromEntries(merged) };
}
