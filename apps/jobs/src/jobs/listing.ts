import { z } from 'zod';
import { badQuery } from '../problems.js';
import { JOB_STATES } from '../state.js';

/** Where the next page of a list begins: the last row of the one before, newest first. */
export interface Position {
  createdAt: Date;
  id: string;
}

export const listQuery = z.object({
  state: z.enum(JOB_STATES).optional(),
  name: z.string().max(200).optional(),
  created_after: z.iso.datetime({ offset: true }).optional(),
  cursor: z.string().max(200).optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 200)
    .meta({ type: 'integer', minimum: 1, maximum: 200, default: 50 })
    .optional(),
});
export type ListQuery = z.infer<typeof listQuery>;

export function cursorOf({ createdAt, id }: Position): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');
}

const positionPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f-]{36})$/;

/** @throws {Problem} `bad_query` */
export function positionOf(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, time, id] = positionPattern.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const createdAt = new Date(time ?? '');
  if (id === undefined || Number.isNaN(createdAt.getTime()))
    throw badQuery('cursor: not one of ours');
  return { createdAt, id };
}

/** A query of a list that is checked by a schema. @throws {Problem} `bad_query` that names the parameter */
export function readQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const { data, error } = schema.safeParse(query);
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw badQuery(`${issue?.path.join('.')}: ${issue?.message}`);
}
