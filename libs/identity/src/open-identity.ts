import type { GatewayRpc } from '@glacis/contracts';
import { problems } from '@glacis/http';
import type { Logger } from '@glacis/observability';
import { systemClock, type Clock } from '@glacis/runtime';
import { SettingsError } from '@glacis/settings';
import type { JWTVerifyGetKey } from 'jose';
import type { IdentityOptions } from './identity.module.js';
import type { IdentitySettings } from './settings.js';
import { GatewayClient } from './tokens/gateway-client.js';
import { gatewayCalls, type GatewaySource } from './tokens/gateway-source.js';
import { oidcIssuer } from './tokens/oidc-issuer.js';
import { olderIssuer } from './tokens/older-issuer.js';
import { RemoteKeys } from './tokens/remote-keys.js';
import { RevocationFeed } from './tokens/revocation-feed.js';
import { RevokedTokens } from './tokens/revoked-tokens.js';
import { TokenIssuer } from './tokens/token-issuer.js';
import { TokenVerifier } from './tokens/token-verifier.js';
import { ownIssuer, type TrustedIssuer } from './tokens/trusted-issuer.js';
import { mayCarryTrust } from './tokens/trusted-url.js';

export interface OpenIdentityOptions {
  settings: IdentitySettings;
  logger: Logger;
  clock?: Clock;
  /** True in the program that makes tokens, with the gateway in it, which keeps the keys. */
  makesTokens?: boolean;
  /** Where it is given, keys and revoked tokens are read by calls, and not at `GLACIS_TOKENS_GATEWAY_URLS`. */
  gateway?: GatewayRpc;
}

interface Parts {
  settings: IdentitySettings;
  clock: Clock;
  revoked: RevokedTokens;
  /** Takes the errors of background work on something, and what it is. */
  warn: (what: string) => (error: unknown) => void;
}

/**
 * What a program needs to know whose requests it serves, for `IdentityModule.forRoot`. Opens no connection: the keys of
 * others are read with the first token, so that programs start in any order.
 * @throws {SettingsError} when no token at all could be verified, two issuers have one name, or trust would rest on
 *   plain http
 */
export function openIdentity(options: OpenIdentityOptions): IdentityOptions {
  const { settings, logger, clock = systemClock, makesTokens = false } = options;
  checkIssuers(settings);
  const warn = (what: string) => (error: unknown) => logger.warn({ err: error }, what);
  const parts = { settings, clock, revoked: new RevokedTokens(clock), warn };
  const own = makesTokens ? ownHere(parts) : ownElsewhere(parts, gatewayOf(options));
  const issuers = [...own.trusted, ...others(parts)];
  if (issuers.length === 0) throw nobody();
  const { revoked } = parts;
  const leewaySeconds = settings.leeway / 1000;
  const verifier = new TokenVerifier({ issuers, revoked, clock, leewaySeconds });
  return { verifier, revoked, issuer: own.issuer, feed: own.feed };
}

type Own = Pick<IdentityOptions, 'issuer' | 'feed'> & { trusted: TrustedIssuer[] };

function ownHere({ settings, clock }: Parts): Own {
  const { issuer: name, audience } = settings;
  const issuer = new TokenIssuer({ issuer: name, audience, clock });
  return { issuer, trusted: [issuer.trusted()] };
}

/** Our own issuer as a service apart from the gateway sees it: good once keys and revocations have been read. */
function ownElsewhere(
  { settings, clock, revoked, warn }: Parts,
  gateway: GatewaySource | undefined,
): Own {
  if (gateway === undefined) return { trusted: [] };
  const { issuer, stale: staleMs, refresh: refreshMs } = settings;
  const intervalMs = settings.revocationPoll;
  const onError = warn('revoked tokens not read');
  const feed = new RevocationFeed({ source: gateway, revoked, intervalMs, clock, onError });
  const keys = new RemoteKeys({
    issuer,
    read: () => gateway.keySet(),
    refreshMs,
    staleMs,
    clock,
    onError: warn('keys of the gateway not read'),
  });
  const find: JWTVerifyGetKey = async (header, token) => {
    const key = await keys.find(header, token);
    await feed.complete(staleMs).catch((cause: unknown) => {
      throw problems.unavailable('the revoked tokens cannot be read', { cause });
    });
    return key;
  };
  return { feed, trusted: [ownIssuer(settings, { keys: find, refresh: () => keys.expire() })] };
}

function others({ settings, clock, warn }: Parts): TrustedIssuer[] {
  const { oidc, audience, olderIssuer: name, olderKey, refresh, stale } = settings;
  const onError = warn('keys of an issuer not read');
  const times = { refreshMs: refresh, staleMs: stale, clock, onError };
  const providers = oidc.map((provider) => oidcIssuer(provider, audience, times));
  return olderKey === undefined ? providers : [...providers, olderIssuer(name, olderKey)];
}

/** `iss` alone tells whose rules a token is judged by, so no two issuers may share one. */
function checkIssuers({ issuer, oidc, olderIssuer: older, olderKey }: IdentitySettings): void {
  const taken = new Map([[issuer, 'GLACIS_TOKENS_ISSUER']]);
  const bad = (name: string, whose: string): SettingsError =>
    new SettingsError([{ name, reason: `'${whose}' is ${taken.get(whose)} already` }]);
  if (olderKey !== undefined) {
    if (taken.has(older)) throw bad('GLACIS_TOKENS_OLDER_ISSUER', older);
    taken.set(older, 'GLACIS_TOKENS_OLDER_ISSUER');
  }
  for (const provider of oidc) {
    if (taken.has(provider.issuer)) throw bad('GLACIS_TOKENS_OIDC', provider.issuer);
  }
}

function gatewayOf({ gateway, settings }: OpenIdentityOptions): GatewaySource | undefined {
  if (gateway !== undefined) return gatewayCalls(gateway);
  const { gatewayUrls: urls, allowHttp } = settings;
  if (urls.length === 0) return undefined;
  checkUrls(urls, allowHttp);
  return new GatewayClient(urls);
}

function checkUrls(urls: readonly string[], allowHttp: boolean): void {
  const bad = allowHttp ? [] : urls.filter((url) => !mayCarryTrust(url));
  if (bad.length === 0) return;
  const reason = `expected https URLs (http on loopback, or with GLACIS_TOKENS_ALLOW_HTTP), not '${bad.join(', ')}'`;
  throw new SettingsError([{ name: 'GLACIS_TOKENS_GATEWAY_URLS', reason }]);
}

function nobody(): SettingsError {
  const reason =
    'name the gateway here, or other issuers in GLACIS_TOKENS_OIDC or GLACIS_TOKENS_OLDER_KEY: no token could be verified';
  return new SettingsError([{ name: 'GLACIS_GATEWAY_GRPC_URL', reason }]);
}
