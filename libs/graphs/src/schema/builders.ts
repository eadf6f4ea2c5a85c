/** Shapes that schemas are put together from. */
import type { Schema } from './schema.js';

export const ANYTHING: Schema = {};
export const FREE_OBJECT: Schema = { type: 'object' };
export const TEXT: Schema = { type: 'string' };

export function oneOfTexts(...texts: string[]): Schema {
  return { type: 'string', enum: texts };
}

/** An object that has no other keys than these. */
export function closed(properties: Record<string, Schema>, ...required: string[]): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

export function mapOf(names: Schema, values: Schema): Schema {
  return { type: 'object', propertyNames: names, additionalProperties: values };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

/** One of several kinds of object, told apart by the texts that this member may have in each. */
export function byMember(propertyName: string, ...oneOf: Schema[]): Schema {
  return { type: 'object', discriminator: { propertyName }, oneOf };
}
