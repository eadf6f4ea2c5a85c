import type { Principal } from '@glacis/http';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { label, tokenIdOf } from './claims.js';
import { FetchError, fetchJson } from './fetch-json.js';
import type { OidcIssuerSettings } from './oidc-settings.js';
import { RemoteKeys, type RemoteKeysOptions } from './remote-keys.js';
import type { TrustedIssuer } from './trusted-issuer.js';
import { mayCarryTrust } from './trusted-url.js';

/** An OpenID Connect provider, or any issuer with a key set or an RFC 8414 document. */
export function oidcIssuer(
  settings: OidcIssuerSettings,
  defaultAudience: string,
  options: Omit<RemoteKeysOptions, 'issuer' | 'read'>,
): TrustedIssuer {
  const { issuer } = settings;
  const read = async (): Promise<unknown> =>
    fetchJson(settings.jwks_uri ?? (await discoverKeySet(issuer)));
  const keys = new RemoteKeys({ ...options, issuer, read });
  return {
    issuer,
    keys: keys.find,
    refresh: () => keys.expire(),
    algorithms: settings.algorithms,
    audience: settings.audience ?? defaultAudience,
    types: ['at+jwt', 'jwt', undefined],
    principalOf: (payload, token) => principalOf(settings, payload, token),
  };
}

const metadata = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** OpenID Connect Discovery 1.0 section 4, then RFC 8414 section 3 for issuers that know only that. */
async function discoverKeySet(issuer: string): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const document = await fetchJson(`${origin}${path}/.well-known/openid-configuration`).catch(
    (error: unknown) => {
      if (!(error instanceof FetchError && error.status === 404)) throw error;
      return fetchJson(`${origin}/.well-known/oauth-authorization-server${path}`);
    },
  );
  const found = metadata.parse(document);
  if (found.issuer !== issuer) {
    throw new Error(`the discovery document of ${issuer} names another issuer`);
  }
  if (!mayCarryTrust(found.jwks_uri)) {
    throw new Error(`the discovery document of ${issuer} names a key set that is not https`);
  }
  return found.jwks_uri;
}

const times = z.object({ iss: z.string(), sub: label, exp: z.number().positive() });
const rolesClaim = z.union([label, z.array(z.string()).max(1_024)]);

function principalOf(
  settings: OidcIssuerSettings,
  payload: JWTPayload,
  token: string,
): Principal | null {
  const read = times.safeParse(payload);
  const tenant = tenantOf(settings, payload);
  if (!read.success || tenant === undefined) return null;
  const { iss, sub, exp } = read.data;
  return {
    subject: sub,
    tenant,
    roles: rolesOf(settings, payload),
    tokenId: tokenIdOf(payload, token),
    issuer: iss,
    expiresAt: exp,
  };
}

/** Null: the token belongs to no tenant. Undefined: it names one for which the issuer may not speak, or none at all. */
function tenantOf(settings: OidcIssuerSettings, payload: JWTPayload): string | null | undefined {
  if (settings.tenant !== undefined) return settings.tenant;
  const claim = claimOf(payload, settings.tenant_claim);
  if (claim === undefined || claim === null || claim === '') return null;
  const { data } = label.safeParse(claim);
  if (data === undefined || !(settings.tenants?.includes(data) ?? true)) return undefined;
  return data;
}

function rolesOf(settings: OidcIssuerSettings, payload: JWTPayload): string[] {
  const { data = [] } = rolesClaim.safeParse(claimOf(payload, settings.roles_claim));
  const named = Array.isArray(data) ? data : data.split(' ');
  const ours = named.flatMap((role) =>
    Object.hasOwn(settings.roles, role) ? [settings.roles[role] as string] : [],
  );
  return [...new Set(ours)];
}

/** The claim of that very name, else what lies at the path that its dots describe. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
