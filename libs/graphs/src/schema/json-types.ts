/** Types of JSON values and what people call them. */
import type { Schema } from './schema.js';

type JsonType = NonNullable<Schema['type']> | 'number' | 'null' | 'nothing';

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

/** `a list`, `an object`. */
export function wordFor(type: JsonType): string {
  return WORDS[type];
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  const isJson = type === 'number' || type === 'string' || type === 'boolean' || type === 'object';
  return isJson ? type : 'nothing';
}

export function hasType(value: unknown, type: NonNullable<Schema['type']>): boolean {
  return type === 'integer' ? Number.isInteger(value) : typeOf(value) === type;
}
