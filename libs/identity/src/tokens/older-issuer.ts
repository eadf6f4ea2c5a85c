import type { Principal } from '@glacis/http';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { label, tokenIdOf } from './claims.js';
import type { TrustedIssuer } from './trusted-issuer.js';

/** `backends.md` 2.1. `type` 0 is an access token; 1 and above refresh, recover and so on. */
const claims = z.object({
  iss: z.string(),
  exp: z.number().int().positive(),
  type: z.literal(0),
  user: label.optional(),
  sub: label.optional(),
  domain: z.union([label, z.literal('')]).nullish(),
});

function principalOf(payload: JWTPayload, token: string): Principal | null {
  const read = claims.safeParse(payload);
  if (!read.success) return null;
  const { iss, exp, user, sub, domain } = read.data;
  const subject = user ?? sub;
  if (subject === undefined) return null;
  const tokenId = tokenIdOf(payload, token);
  return { subject, tenant: domain || null, roles: [], tokenId, issuer: iss, expiresAt: exp };
}

/**
 * The issuer of older clients: HS512 with a shared key, claims `domain`, `user` and `type`. Its tokens carry no roles, so
 * they make members, never administrators.
 */
export function olderIssuer(issuer: string, key: string): TrustedIssuer {
  const secret = Buffer.from(key, 'utf8');
  return {
    issuer,
    keys: async () => secret,
    algorithms: ['HS512'],
    types: ['jwt', undefined],
    principalOf,
  };
}
