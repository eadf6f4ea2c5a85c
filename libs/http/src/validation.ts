import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import type { Problem } from './problem.js';
import { problems } from './problems.js';

/** A 400 that names the first member at fault, from what zod found. */
export function malformedBy(error: z.ZodError, within?: string): Problem {
  const issue = error.issues[0];
  const path = [...(within === undefined ? [] : [within]), ...(issue?.path ?? [])];
  const field = path.map(String).join('.');
  const reason = (issue?.message ?? 'invalid').replace(/^Invalid input: /, '');
  return problems.malformed(field ? `${field}: ${reason}` : reason, {
    error: reason,
    members: field ? { field } : {},
  });
}

class ZodPipe<T> implements PipeTransform<unknown, T> {
  constructor(
    private readonly schema: z.ZodType<T>,
    private readonly whenAbsent: unknown,
  ) {}

  transform(value: unknown, metadata: ArgumentMetadata): T {
    const result = this.schema.safeParse(value ?? this.whenAbsent);
    if (result.success) return result.data;
    throw malformedBy(result.error, metadata.data);
  }
}

/** Checks a JSON body, as `@Body(zBody(schema))`. An empty body counts as `{}`. */
export function zBody<T>(schema: z.ZodType<T>): PipeTransform<unknown, T> {
  return new ZodPipe(schema, {});
}

/** Checks the whole query, as `@Query(zQuery(schema))`. A parameter given twice arrives as a list, and so fails. */
export function zQuery<T>(schema: z.ZodType<T>): PipeTransform<unknown, T> {
  return new ZodPipe(schema, {});
}

/** Checks one path parameter, as `@Param('id', zParam(schema))`. */
export function zParam<T>(schema: z.ZodType<T>): PipeTransform<unknown, T> {
  return new ZodPipe(schema, undefined);
}
