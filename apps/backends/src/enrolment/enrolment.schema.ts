import { plainText } from '@glacis/http';
import { parseDurationMs } from '@glacis/settings';
import { z } from 'zod';

const maxTtlMs = 3_600_000;

/** Whole seconds of a Go duration from 1s to 1h. */
const ttl = plainText(64).transform((text, context) => {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1_000 && ms <= maxTtlMs) return Math.floor(ms / 1_000);
  context.addIssue({ code: 'custom', message: 'expected a duration from 1s to 1h', input: text });
  return z.NEVER;
});

const cidr = plainText(64).pipe(
  z.union([z.literal(''), z.cidrv4(), z.cidrv6()], { error: 'expected a block of addresses' }),
);

/** Body of POST `/backends/{id}/enrolment-tokens`. */
export const enrolmentBody = z.object({
  ttl: ttl.default(900),
  cidr: cidr.default(''),
});

export type EnrolmentBody = z.output<typeof enrolmentBody>;

export const enrolmentReply = z.object({
  token: z.string(),
  expires_at: z.iso.datetime(),
  ca_sha256: z.string(),
});
