/**
 * Whether an object says everything that a manifest does, both as JSON; it may say more, as the API server fills in
 * defaults. A text of length 0 is as good as none, and numbers may come back as text.
 */
export function contains(object: unknown, manifest: unknown): boolean {
  if (!isStructure(manifest)) return textOf(object) === textOf(manifest);
  if (!isStructure(object) || Array.isArray(object) !== Array.isArray(manifest)) return false;
  if (Array.isArray(object) && object.length !== Object.keys(manifest).length) return false;
  return Object.entries(manifest).every(([member, value]) => contains(object[member], value));
}

type Structure = Record<string, unknown>;

const isStructure = (value: unknown): value is Structure =>
  typeof value === 'object' && value !== null;

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
