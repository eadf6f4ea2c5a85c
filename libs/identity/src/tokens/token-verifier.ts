import { Problem, problems, type Principal } from '@glacis/http';
import { systemClock, type Clock } from '@glacis/runtime';
import { decodeJwt, errors, jwtVerify } from 'jose';
import { maxLeewaySeconds, type RevokedTokens } from './revoked-tokens.js';
import type { TrustedIssuer } from './trusted-issuer.js';
import { VerifiedTokens } from './verified-tokens.js';

export interface TokenVerifierOptions {
  issuers: readonly TrustedIssuer[];
  revoked: RevokedTokens;
  clock?: Clock;
  /** Seconds by which an issuer's clock may differ from ours. Default 0, at most 60. */
  leewaySeconds?: number;
  /** Verified tokens remembered at most. Default 10,000. */
  cacheSize?: number;
}

/** Longer `Authorization` values are refused unread. */
const maxHeaderLength = 8_192;
const hasExpired = 'the token has expired';

/** Milliseconds for which a good signature counts: for so long after its withdrawal a key may still do. */
const recheckMs = 5 * 60_000;

/**
 * Tells who a bearer token (RFC 6750) speaks for. A token seen before is answered at once, without a promise: its
 * expiry and revocation are checked on each call, its signature every 5 minutes.
 */
export class TokenVerifier {
  private readonly issuers: ReadonlyMap<string, TrustedIssuer>;
  private readonly verified: VerifiedTokens;
  private readonly clock: Clock;
  private readonly leewaySeconds: number;
  private rechecks = 0;

  /** @throws {RangeError} when the leeway is negative or over 60 seconds */
  constructor(private readonly options: TokenVerifierOptions) {
    const { issuers, clock, leewaySeconds = 0, cacheSize = 10_000 } = options;
    if (!(leewaySeconds >= 0 && leewaySeconds <= maxLeewaySeconds)) {
      throw new RangeError(`leewaySeconds must be 0 to ${maxLeewaySeconds}`);
    }
    this.issuers = new Map(issuers.map((trusted) => [trusted.issuer, trusted]));
    this.clock = clock ?? systemClock;
    this.leewaySeconds = leewaySeconds;
    this.verified = new VerifiedTokens(cacheSize);
  }

  /**
   * @param authorization the header's value
   * @throws {Problem} `unauthenticated` (401) when there is no good token, whatever the cause; `unavailable` (503)
   *   when the keys of its issuer cannot be had. Rejects with it where the signature has to be checked first
   */
  verify(authorization: string | undefined): Principal | Promise<Principal> {
    if (authorization === undefined) throw problems.unauthenticated('a bearer token is needed');
    const known = this.verified.get(authorization);
    const now = this.clock.now().getTime();
    if (known === undefined || known.checkAgainAt <= now) return this.verifyNew(authorization);
    return this.stillGood(authorization, known.principal, now);
  }

  /** Has every signature checked again at the next use of its token, with keys that are read anew. */
  recheck(): void {
    this.verified.clear();
    this.rechecks += 1;
    for (const { refresh } of this.issuers.values()) refresh?.();
  }

  private async verifyNew(authorization: string): Promise<Principal> {
    const { rechecks } = this;
    const principal = await this.checkSignatureAndClaims(bearerToken(authorization));
    const now = this.clock.now().getTime();
    this.stillGood(authorization, principal, now);
    // Else the keys that found it good may be older than the recheck.
    if (rechecks === this.rechecks) {
      this.verified.set(authorization, { principal, checkAgainAt: now + recheckMs });
    }
    return principal;
  }

  private stillGood(authorization: string, principal: Principal, now: number): Principal {
    if (this.options.revoked.has(principal.tokenId)) {
      this.verified.delete(authorization);
      throw problems.unauthenticated('the token was revoked');
    }
    if (now / 1000 >= principal.expiresAt + this.leewaySeconds) {
      this.verified.delete(authorization);
      throw problems.unauthenticated(hasExpired);
    }
    return principal;
  }

  private async checkSignatureAndClaims(token: string): Promise<Principal> {
    const trusted = this.issuerOf(token);
    const { payload, protectedHeader } = await jwtVerify(token, trusted.keys, {
      algorithms: [...trusted.algorithms],
      issuer: trusted.issuer,
      audience: trusted.audience,
      clockTolerance: this.leewaySeconds,
      currentDate: this.clock.now(),
      requiredClaims: ['exp'],
    }).catch(refuse);
    if (!trusted.types.includes(mediaTypeOf(protectedHeader.typ))) return refuse();
    return trusted.principalOf(payload, token) ?? refuse();
  }

  /** The claim is not trusted by this: it only picks the keys that the signature is then checked with. */
  private issuerOf(token: string): TrustedIssuer {
    return this.issuers.get(claimedIssuer(token)) ?? refuse();
  }
}

/** `typ` as RFC 7515 4.1.9 has it compared: in any case, `application/` left out. */
function mediaTypeOf(typ: string | undefined): string | undefined {
  return typ?.toLowerCase().replace(/^application\//, '');
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
  if (cause instanceof Problem) throw cause;
  const detail = cause instanceof errors.JWTExpired ? hasExpired : 'the token is not valid';
  throw problems.unauthenticated(detail, { cause });
}
