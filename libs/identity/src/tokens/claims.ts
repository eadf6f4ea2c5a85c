import { createHash } from 'node:crypto';
import type { Principal } from '@glacis/http';
import type { JWTPayload } from 'jose';
import { z } from 'zod';

/** `typ` of the JOSE header (RFC 9068 2.1): no other kind of JWT passes as an access token of ours. */
export const accessTokenType = 'at+jwt';

/** The one signature algorithm of our own tokens (RFC 8037, Ed25519). */
export const signatureAlgorithm = 'EdDSA';

/** One value of a claim. No control characters: the values reach logs, SQL and pages. */
export const label = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{Cc}]*$/u);

const claims = z.object({
  iss: z.string(),
  sub: label,
  jti: label,
  exp: z.number().int().positive(),
  domain: label.nullish(),
  roles: z.array(label).max(32).default([]),
});

/**
 * Who a token of ours speaks for, from claims whose signature, issuer, audience and times hold already.
 * Null when a claim that we rely on is absent or of a wrong form.
 */
export function principalOf(payload: JWTPayload): Principal | null {
  const read = claims.safeParse(payload);
  if (!read.success) return null;
  const { iss, sub, jti, exp, domain, roles } = read.data;
  return { subject: sub, tenant: domain ?? null, roles, tokenId: jti, issuer: iss, expiresAt: exp };
}

/** The id of a token of another issuer: its `jti`, or a name made from the token itself where it has none. */
export function tokenIdOf({ jti }: JWTPayload, token: string): string {
  const read = label.safeParse(jti);
  return read.data ?? `sha256:${createHash('sha256').update(token).digest('base64url')}`;
}
