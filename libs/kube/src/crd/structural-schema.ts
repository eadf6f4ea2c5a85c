import { z } from 'zod';

/** A rule in CEL that the API server checks, with what it says when the rule does not hold. */
export interface Rule {
  rule: string;
  message: string;
  /** Member that the message is about, such as `.renewBefore`; default: what the rule stands on. */
  fieldPath?: string;
}

/** For `.meta()` of a zod type: the API server holds values to these rules. `oldSelf` makes a rule one of changes. */
export function rules(...list: Rule[]): { 'x-kubernetes-validations': Rule[] } {
  return { 'x-kubernetes-validations': list };
}

/** For `.meta()` of an array of objects: items are told apart by these members, so that none comes twice. */
export function keyedBy(...members: string[]): Record<string, unknown> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': members };
}

/** For `.meta()` of an object: it is replaced as a whole by those who apply it. */
export const atomic = { 'x-kubernetes-map-type': 'atomic' };

/** For `.meta()` of an object: members that its type does not name are kept. */
export const preserveUnknown = { 'x-kubernetes-preserve-unknown-fields': true };

/** Whole number of 64 bits, as the API has them. */
export const int64: z.ZodType<number> = z.int().meta({ format: 'int64' });

/** Time in RFC 3339. */
export const dateTime: z.ZodType<string> = z.string().meta({ format: 'date-time' });

export type JsonSchema = Record<string, unknown>;

/**
 * The structural schema of a zod type, as custom resource definitions take it: without references and without
 * `additionalProperties: false`, as the API server prunes unknown members, and refuses them when asked to be strict.
 * Transforms and refinements have no form there: use `rules`.
 * @throws {Error} for a type that JSON Schema cannot express
 */
export function structuralSchema(type: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input', target: 'openapi-3.0' });
  return structural(schema) as JsonSchema;
}

/** Bounds of what JavaScript counts exactly are no bounds of the API. */
const noBounds = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

function structural(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(structural);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([member, value]) =>
      !(member === 'additionalProperties' && value === false) &&
      !((member === 'minimum' || member === 'maximum') && noBounds.includes(value as number)),
  );
  return Object.fromEntries(kept.map(([member, value]) => [member, structural(value)]));
}
