import { z } from 'zod';

const controls = /[\p{Cc}\p{Cs}]/u;
const unstorable = /[\0\p{Cs}]/u;

/** Characters as people count them: code points, not UTF-16 units. */
function upTo(max: number): (value: string) => boolean {
  return (value) => value.length <= max || (value.length <= 2 * max && [...value].length <= max);
}

/** One line of text: up to `max` characters, without control characters and lone surrogates. */
export function plainText(max: number): z.ZodString {
  return z
    .string()
    .refine(upTo(max), { error: `at most ${max} characters` })
    .refine((value) => !controls.test(value), { error: 'no control characters' });
}

/** As {@link plainText} after blanks at both ends are cut off, and not empty. */
export function trimmedText(max: number): z.ZodString {
  return z
    .string()
    .trim()
    .min(1, { error: 'must not be empty' })
    .refine(upTo(max), { error: `at most ${max} characters` })
    .refine((value) => !controls.test(value), { error: 'no control characters' });
}

/** Text of several lines: up to `max` characters; only what no database stores is refused (NUL, lone surrogates). */
export function freeText(max: number): z.ZodString {
  return z
    .string()
    .refine(upTo(max), { error: `at most ${max} characters` })
    .refine((value) => !unstorable.test(value), { error: 'no NUL and no lone surrogates' });
}

const wholeNumber = (min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,15}$/, { error: 'expected a whole number' })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: `must be from ${min} to ${max}` });

/** `offset` (default 0) and `limit` (default 10, 1 to 100) of a list (`backends.md` 2.1); spread or extend it. */
export const pageQuery = z.object({
  offset: wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .transform((value) => value ?? 0),
  limit: wholeNumber(1, 100)
    .optional()
    .transform((value) => value ?? 10),
});
