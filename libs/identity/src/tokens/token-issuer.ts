import type { KeyObject } from 'node:crypto';
import { newId, systemClock, type Clock } from '@glacis/runtime';
import { SignJWT, type JSONWebKeySet, type JWTPayload } from 'jose';
import { accessTokenType, signatureAlgorithm } from './claims.js';
import { IssuerKeys } from './issuer-keys.js';
import { keyRing, keySetAt } from './key-ring.js';
import { ownIssuer, type TrustedIssuer } from './trusted-issuer.js';

export interface TokenIssuerOptions {
  /** `iss` of its tokens. Default `glacis`. */
  issuer?: string;
  /** `aud` of its tokens. Default `glacis`. */
  audience?: string;
  clock?: Clock;
}

export interface TokenRequest {
  /** `sub`: whom the token is made for. */
  subject: string;
  /** `domain`; null for a token that belongs to no tenant. */
  tenant: string | null;
  roles: readonly string[];
  /** Milliseconds; the expiry is cut to whole seconds. */
  ttlMs: number;
}

export interface IssuedToken {
  /** The compact JWS. Shown once to who asked for it, kept nowhere. */
  token: string;
  /** `jti`, a UUIDv7. */
  id: string;
  issuedAt: Date;
  expiresAt: Date;
}

/** Makes access tokens: EdDSA JWTs, signed with a key of its own. */
export class TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** They have to be told where they are kept. */
  readonly keys: IssuerKeys;
  private readonly clock: Clock;

  constructor(options: TokenIssuerOptions = {}) {
    this.issuer = options.issuer ?? 'glacis';
    this.audience = options.audience ?? 'glacis';
    this.clock = options.clock ?? systemClock;
    this.keys = new IssuerKeys(this.clock);
  }

  /** An issuer with the given Ed25519 private key, which is kept in memory. */
  static async fromKey(key: KeyObject, options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
    const issuer = new TokenIssuer(options);
    await issuer.keys.keptBy(() => keyRing(key, []));
    return issuer;
  }

  /** The public keys (RFC 7517), the signing one first; the key id is the thumbprint of RFC 7638. */
  async jwks(): Promise<JSONWebKeySet> {
    return keySetAt(await this.keys.current(), this.clock.now());
  }

  /** What a verifier in this process needs to accept its tokens. */
  trusted(): TrustedIssuer {
    return ownIssuer(this, { keys: this.keys.find, refresh: () => this.keys.expire() });
  }

  async issue(request: TokenRequest): Promise<IssuedToken> {
    const { signing } = await this.keys.current();
    const id = newId(this.clock);
    const issuedAt = Math.floor(this.clock.now().getTime() / 1000);
    const expiresAt = issuedAt + Math.floor(request.ttlMs / 1000);
    const claims: JWTPayload = {
      ...(request.tenant === null ? {} : { domain: request.tenant }),
      roles: [...request.roles],
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({
        alg: signatureAlgorithm,
        kid: signing.jwk.kid,
        typ: accessTokenType,
      })
      .setIssuer(this.issuer)
      .setAudience(this.audience)
      .setSubject(request.subject)
      .setJti(id)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(signing.key);
    return {
      token,
      id,
      issuedAt: new Date(issuedAt * 1000),
      expiresAt: new Date(expiresAt * 1000),
    };
  }
}
