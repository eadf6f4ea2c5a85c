import { z } from 'zod';

const controls = /[\p{Cc}\p{Cs}]/u;
const unstorable = /[\0\p{Cs}]/u;

/** Characters as people count them: code points, not UTF-16 units. */
function upTo(max: number): (value: string) => boolean {
  return (value) =>
    value.length <= max || (value.length <= 2 * max && Array.from(value).length <= max);
}

/** One line of text: up to `max` characters, without control characters and lone surrogates. */
export function plainText(max: number): z.ZodString {
  return withoutControls(z.string(), max).meta({ maxLength: max });
}

/** As {@link plainText} after blanks at both ends are cut off, and not empty. */
export function trimmedText(max: number): z.ZodString {
  const trimmed = z.string().trim().min(1, { error: 'must not be empty' });
  return withoutControls(trimmed, max).meta({ maxLength: max });
}

/** Text of several lines: up to `max` characters; only what no database stores is refused (NUL, lone surrogates). */
export function freeText(max: number): z.ZodString {
  return z
    .string()
    .refine(upTo(max), { error: `at most ${max} characters` })
    .refine((value) => !unstorable.test(value), { error: 'no NUL and no lone surrogates' })
    .meta({ maxLength: max });
}

function withoutControls(type: z.ZodString, max: number): z.ZodString {
  return type
    .refine(upTo(max), { error: `at most ${max} characters` })
    .refine((value) => !controls.test(value), { error: 'no control characters' });
}

function wholeNumber(min: number, max: number, byDefault: number): z.ZodType<number> {
  return z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text), { error: 'expected a whole number' })
    .refine((text) => Number(text) >= min && Number(text) <= max, {
      error: `must be from ${min} to ${max}`,
    })
    .meta({ type: 'integer', minimum: min, maximum: max, default: byDefault })
    .optional()
    .transform((text) => (text === undefined ? byDefault : Number(text)));
}

/** `offset` (default 0) and `limit` (default 10, 1 to 100) of a list (`backends.md` 2.1); extend it for more. */
export const pageQuery: z.ZodObject<{ offset: z.ZodType<number>; limit: z.ZodType<number> }> =
  z.object({
    offset: wholeNumber(0, 999_999_999_999_999, 0),
    limit: wholeNumber(1, 100, 10),
  });
