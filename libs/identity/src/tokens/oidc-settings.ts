import { z } from 'zod';
import { mayCarryTrust } from './trusted-url.js';

/** Asymmetric ones only: a shared key would let every holder make tokens. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const url = z
  .string()
  .refine(mayCarryTrust, { error: 'expected an https URL (http on loopback only)' });

/** One OpenID Connect provider, as `GLACIS_TOKENS_OIDC` lists them. */
export const oidcIssuer = z.strictObject({
  /** `iss` of its tokens, to the letter, and where its discovery document lies. */
  issuer: url,
  /** Its key set; absent: as the discovery document says. */
  jwks_uri: url.optional(),
  /** Must be among the `aud` of a token; default `GLACIS_TOKENS_AUDIENCE`. */
  audience: z.string().min(1).optional(),
  algorithms: z.array(z.enum(algorithms)).min(1).default(['RS256', 'ES256', 'EdDSA']),
  /** The tenant of all its tokens; absent: as `tenant_claim` says. */
  tenant: z.string().min(1).optional(),
  /** A claim, or a path such as `org.id`. */
  tenant_claim: z.string().min(1).default('domain'),
  /** Tenants that it may speak for; absent: any. */
  tenants: z.array(z.string().min(1)).optional(),
  roles_claim: z.string().min(1).default('roles'),
  /** Its roles to ours; a role that is not listed counts for nothing. */
  roles: z
    .record(z.string(), z.enum(['member', 'admin', 'platform-admin']))
    .default({ member: 'member', admin: 'admin' }),
});

export type OidcIssuerSettings = z.output<typeof oidcIssuer>;

export const oidcIssuers: z.ZodType<OidcIssuerSettings[]> = z
  .array(oidcIssuer)
  .max(32)
  .refine((all) => new Set(all.map(({ issuer }) => issuer)).size === all.length, {
    error: 'an issuer is listed twice',
  });
