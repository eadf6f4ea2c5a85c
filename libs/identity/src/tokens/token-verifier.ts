import { problems, type Principal } from '@glacis/http';
import { systemClock, type Clock } from '@glacis/runtime';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet } from 'jose';
import { accessTokenType, principalOf, signatureAlgorithm } from './claims.js';
import { maxLeewaySeconds, type RevokedTokens } from './revoked-tokens.js';
import { VerifiedTokens } from './verified-tokens.js';

export interface TrustedIssuer {
  /** `iss` as its tokens carry it. */
  issuer: string;
  /** Its Ed25519 public keys. */
  keys: JSONWebKeySet;
}

export interface TokenVerifierOptions {
  issuers: readonly TrustedIssuer[];
  /** Must be among the `aud` of a token. Default `glacis`. */
  audience?: string;
  revoked: RevokedTokens;
  clock?: Clock;
  /** Seconds by which an issuer's clock may differ from ours. Default 0, at most 60. */
  leewaySeconds?: number;
  /** Verified tokens remembered at most. Default 10,000. */
  cacheSize?: number;
}

type KeyLookup = ReturnType<typeof createLocalJWKSet>;

/** Longer `Authorization` values are refused unread. */
const maxHeaderLength = 8_192;
const hasExpired = 'the token has expired';

/**
 * Tells who a bearer token (RFC 6750) speaks for. A token seen before is answered at once, without a promise: its
 * signature is not checked again, its expiry and revocation are, on each call.
 */
export class TokenVerifier {
  private readonly keys: ReadonlyMap<string, KeyLookup>;
  private readonly verified: VerifiedTokens;
  private readonly audience: string;
  private readonly clock: Clock;
  private readonly leewaySeconds: number;

  /** @throws {RangeError} when the leeway is negative or over 60 seconds */
  constructor(private readonly options: TokenVerifierOptions) {
    const { issuers, audience, clock, leewaySeconds = 0, cacheSize = 10_000 } = options;
    if (!(leewaySeconds >= 0 && leewaySeconds <= maxLeewaySeconds)) {
      throw new RangeError(`leewaySeconds must be 0 to ${maxLeewaySeconds}`);
    }
    this.keys = new Map(issuers.map(({ issuer, keys }) => [issuer, createLocalJWKSet(keys)]));
    this.audience = audience ?? 'glacis';
    this.clock = clock ?? systemClock;
    this.leewaySeconds = leewaySeconds;
    this.verified = new VerifiedTokens(cacheSize);
  }

  /**
   * @param authorization the header's value
   * @throws {Problem} `unauthenticated` (401) when there is no good token, whatever the cause; rejects with it where
   *   the signature has to be checked first
   */
  verify(authorization: string | undefined): Principal | Promise<Principal> {
    if (authorization === undefined) throw problems.unauthenticated('a bearer token is needed');
    const known = this.verified.get(authorization);
    if (known === undefined) return this.verifyNew(authorization);
    return this.stillGood(authorization, known);
  }

  private async verifyNew(authorization: string): Promise<Principal> {
    const principal = await this.checkSignatureAndClaims(bearerToken(authorization));
    this.stillGood(authorization, principal);
    this.verified.set(authorization, principal);
    return principal;
  }

  private stillGood(authorization: string, principal: Principal): Principal {
    if (this.options.revoked.has(principal.tokenId)) {
      this.verified.delete(authorization);
      throw problems.unauthenticated('the token was revoked');
    }
    if (this.clock.now().getTime() / 1000 >= principal.expiresAt + this.leewaySeconds) {
      this.verified.delete(authorization);
      throw problems.unauthenticated(hasExpired);
    }
    return principal;
  }

  private async checkSignatureAndClaims(token: string): Promise<Principal> {
    const { issuer, keys } = this.issuerOf(token);
    const payload = await jwtVerify(token, keys, {
      algorithms: [signatureAlgorithm],
      typ: accessTokenType,
      issuer,
      audience: this.audience,
      clockTolerance: this.leewaySeconds,
      currentDate: this.clock.now(),
      requiredClaims: ['exp', 'sub', 'jti'],
    }).then((result) => result.payload, refuse);
    return principalOf(payload) ?? refuse();
  }

  /** The claim is not trusted by this: it only picks the keys that the signature is then checked with. */
  private issuerOf(token: string): { issuer: string; keys: KeyLookup } {
    const issuer = claimedIssuer(token);
    const keys = this.keys.get(issuer);
    return keys === undefined ? refuse() : { issuer, keys };
  }
}

function bearerToken(authorization: string): string {
  if (authorization.length > maxHeaderLength) return refuse();
  const token = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  return token ?? refuse();
}

function claimedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch (cause) {
    return refuse(cause);
  }
}

/** One answer for every kind of bad token but the expired one; the cause is for our own logs. */
function refuse(cause?: unknown): never {
  const detail = cause instanceof errors.JWTExpired ? hasExpired : 'the token is not valid';
  throw problems.unauthenticated(detail, { cause });
}
