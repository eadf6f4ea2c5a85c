import { z } from 'zod';

/** A transaction number of Postgres: 64 bits without a sign. */
export const watermark: z.ZodString = z
  .string()
  .regex(/^\d{1,19}$/, { error: 'expected the watermark of an earlier answer' });
