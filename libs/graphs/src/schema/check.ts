/** Checks a value against a schema and says what is wrong in words that name the field. */
import { isObject, pointer } from '../json.js';
import type { JsonObject } from '../graph.js';
import type { Schema } from './schema.js';

export interface Fault {
  /** JSON pointer of the field. */
  path: string;
  message: string;
}

/** Every breach; of a `oneOf` those of the branch that was meant. What lies under a bad key is not looked at. */
export function* check(schema: Schema, value: unknown, path = ''): Generator<Fault> {
  if (schema.type !== undefined && !hasType(value, schema.type)) {
    yield { path, message: `must be ${WORDS[schema.type]}, is ${WORDS[typeOf(value)]}` };
    return;
  }
  if (schema.oneOf) yield* checkBranch(schema, value, path);
  else if (typeof value === 'string') yield* checkText(schema, value, path);
  else if (typeof value === 'number') yield* checkNumber(schema, value, path);
  else if (Array.isArray(value)) yield* checkItems(schema, value, path);
  else if (isObject(value)) yield* checkObject(schema, value, path);
}

function* checkNumber({ minimum }: Schema, value: number, path: string): Generator<Fault> {
  if (minimum !== undefined && value < minimum)
    yield { path, message: `must be at least ${minimum}` };
}

function* checkItems({ items }: Schema, value: unknown[], path: string): Generator<Fault> {
  if (!items) return;
  for (const [index, item] of value.entries()) yield* check(items, item, pointer(path, index));
}

function* checkText(schema: Schema, value: string, path: string): Generator<Fault> {
  if (schema.enum && !schema.enum.includes(value)) {
    yield { path, message: `must be ${listed(schema.enum)}` };
  }
  if (schema.pattern !== undefined && !compiled(schema.pattern).test(value)) {
    yield { path, message: `must be ${schema.description ?? `like ${schema.pattern}`}` };
  }
}

function* checkObject(schema: Schema, value: JsonObject, path: string): Generator<Fault> {
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) yield { path: pointer(path, key), message: 'is missing' };
  }
  for (const [key, item] of Object.entries(value)) {
    yield* checkMember(schema, key, item, pointer(path, key));
  }
}

function* checkMember(schema: Schema, key: string, item: unknown, at: string): Generator<Fault> {
  const names = schema.propertyNames;
  if (names?.pattern !== undefined && !compiled(names.pattern).test(key)) {
    yield { path: at, message: `has a bad name: it must be ${names.description}` };
    return;
  }
  const known = schema.properties && Object.hasOwn(schema.properties, key);
  const rule = known ? schema.properties?.[key] : schema.additionalProperties;
  if (rule === false) {
    const keys = Object.keys(schema.properties ?? {});
    yield { path: at, message: `is unknown here; known are ${keys.join(', ')}` };
  } else if (rule) yield* check(rule, item, at);
}

function* checkBranch(schema: Schema, value: unknown, path: string): Generator<Fault> {
  const branches = schema.oneOf ?? [];
  const tag = schema.discriminator?.propertyName;
  if (tag === undefined || !isObject(value)) {
    const branch = branches.find(({ type }) => type && hasType(value, type));
    if (branch) yield* check(branch, value, path);
    else {
      const types = branches.flatMap(({ type }) => (type ? [WORDS[type]] : []));
      yield { path, message: `must be ${types.join(' or ')}` };
    }
    return;
  }
  const meant = Object.hasOwn(value, tag) ? value[tag] : undefined;
  const tagsOf = (branch: Schema): readonly unknown[] => branch.properties?.[tag]?.enum ?? [];
  const branch = branches.find((each) => tagsOf(each).includes(meant));
  if (branch) yield* check(branch, value, path);
  else {
    const at = pointer(path, tag);
    const wanted = `must be ${listed(branches.flatMap(tagsOf).map(String))}`;
    yield { path: at, message: meant === undefined ? `is missing: it ${wanted}` : wanted };
  }
}

type JsonType = NonNullable<Schema['type']> | 'number' | 'null' | 'nothing';

function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  if (type === 'number' || type === 'string' || type === 'boolean' || type === 'object')
    return type;
  return 'nothing';
}

function hasType(value: unknown, type: NonNullable<Schema['type']>): boolean {
  return type === 'integer' ? Number.isInteger(value) : typeOf(value) === type;
}

const WORDS: Record<JsonType, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
  nothing: 'nothing',
};

function listed(items: readonly string[]): string {
  return items.length > 1 ? `one of ${items.join(', ')}` : items.join('');
}

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern) ?? new RegExp(pattern);
  patterns.set(pattern, known);
  return known;
}
