import { z } from 'zod';
import { dateTime, int64, keyedBy } from './structural-schema.js';

export type ConditionStatus = 'True' | 'False' | 'Unknown';

const condition = z.object({
  type: z.string().min(1).max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
  message: z.string().max(32_768),
  lastTransitionTime: dateTime,
  observedGeneration: int64.optional(),
});

/** A condition of meta/v1. */
export type Condition = z.output<typeof condition>;

/** The conditions of a status, one of each type. */
export const conditions: z.ZodType<Condition[]> = z.array(condition).meta(keyedBy('type'));
