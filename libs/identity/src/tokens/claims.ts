import type { Principal } from '@glacis/http';
import { z } from 'zod';

/** `typ` of the JOSE header (RFC 9068 2.1): no other kind of JWT passes as an access token. */
export const accessTokenType = 'at+jwt';

/** The one signature algorithm (RFC 8037, Ed25519). */
export const signatureAlgorithm = 'EdDSA';

// No control characters: the values reach logs, SQL and pages.
const label = z
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
 * Who a token speaks for, from claims whose signature, issuer, audience and times hold already.
 * Null when a claim that we rely on is absent or of a wrong form.
 */
export function principalOf(payload: unknown): Principal | null {
  const read = claims.safeParse(payload);
  if (!read.success) return null;
  const { iss, sub, jti, exp, domain, roles } = read.data;
  return { subject: sub, tenant: domain ?? null, roles, tokenId: jti, issuer: iss, expiresAt: exp };
}
