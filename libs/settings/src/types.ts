import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDurationMs, parseSizeBytes } from './units.js';

/** A type of setting made from one parsing function; `undefined` means that the text is no such value. */
function parsed<T>(expected: string, parse: (text: string) => T | undefined): z.ZodType<T> {
  return z.string().transform((input, context): T => {
    const value = parse(input.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `expected ${expected}`, input });
    return z.NEVER;
  });
}

/** Go duration (`90s`, `1h30m`, `0`) as milliseconds; never negative. */
export const durationMs: z.ZodType<number> = parsed(
  'a duration such as 250ms, 5m or 1h30m',
  parseDurationMs,
);

/** Size (`500mb`, `64KiB`, `0`) as bytes, powers of 1024. */
export const sizeBytes: z.ZodType<number> = parsed('a size such as 64kb or 500mb', parseSizeBytes);

/** Whole number within bounds, both included. */
export function integer(min: number, max: number): z.ZodType<number> {
  return parsed(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** TCP port; 0 takes a free one. */
export const port: z.ZodType<number> = integer(0, 65_535);

/** `true` or `false`, in any case. */
export const flag: z.ZodType<boolean> = parsed('true or false', (text) => {
  const lower = text.toLowerCase();
  return lower === 'true' || (lower === 'false' ? false : undefined);
});

/** Rate as `50/s`, `600/m` or `10/h`; gives events per second. More than 0. */
export const ratePerSecond: z.ZodType<number> = parsed('a rate such as 50/s or 600/m', (text) => {
  const match = /^(\d{1,9})\/([smh])$/.exec(text);
  if (!match || Number(match[1]) === 0) return undefined;
  return Number(match[1]) / { s: 1, m: 60, h: 3600 }[match[2] as 's' | 'm' | 'h'];
});

/** Text that must not be empty. */
export const text: z.ZodType<string> = parsed('some text', (value) => value || undefined);

/** Text that may be empty, which gives `undefined`: the thing is switched off. */
export const optionalText: z.ZodType<string | undefined> = z
  .string()
  .transform((value) => value.trim() || undefined);

/** TCP port, or empty, which gives `undefined`: nothing is listened for. */
export const optionalPort: z.ZodType<number | undefined> = z.preprocess(
  (input) => (String(input).trim() === '' ? undefined : input),
  port.optional(),
);

/** Host name or IP address. */
export const host: z.ZodType<string> = parsed('a host name or IP address', (value) =>
  isIP(value) || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(value) ? value : undefined,
);

/** Absolute http or https URL without a slash at the end, or empty, which gives `undefined`. */
export const optionalUrl: z.ZodType<string | undefined> = z.string().transform((input, context) => {
  const value = input.trim();
  if (value === '') return undefined;
  if (/^https?:\/\//i.test(value) && URL.canParse(value)) return value.replace(/\/+$/, '');
  context.addIssue({ code: 'custom', message: 'expected a http(s) URL', input });
  return z.NEVER;
});

/** Absolute http or https URL without a slash at the end. */
export const url: z.ZodType<string> = parsed('a http(s) URL', (value) =>
  /^https?:\/\//i.test(value) && URL.canParse(value) ? value.replace(/\/+$/, '') : undefined,
);

/** Comma-separated list; blanks around items and empty items are dropped. */
export const list: z.ZodType<string[]> = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Comma-separated http or https URLs without slashes at their ends. */
export const urls: z.ZodType<string[]> = list.transform((items, context) =>
  items.map((item) => {
    if (/^https?:\/\//i.test(item) && URL.canParse(item)) return item.replace(/\/+$/, '');
    context.addIssue({ code: 'custom', message: 'expected http(s) URLs', input: item });
    return z.NEVER;
  }),
);

/** JSON of the given form; a fault is named with its path. */
export function json<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z
    .string()
    .transform((input, context): unknown => {
      try {
        return JSON.parse(input);
      } catch {
        context.addIssue({ code: 'custom', message: 'expected JSON', input });
        return z.NEVER;
      }
    })
    .transform((value, context): T => {
      const { data, error } = schema.safeParse(value);
      if (error === undefined) return data;
      for (const { path, message } of error.issues) {
        context.addIssue({
          code: 'custom',
          message: `${path.join('.')}: ${message}`,
          input: value,
        });
      }
      return z.NEVER;
    });
}

/** One of the given words, exactly as spelled. */
export function choice<const T extends string>(...words: T[]): z.ZodType<T> {
  return parsed(`one of ${words.join(', ')}`, (value) => words.find((word) => word === value));
}
