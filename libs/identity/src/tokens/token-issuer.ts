import { createPublicKey, type KeyObject } from 'node:crypto';
import { newId, systemClock, type Clock } from '@glacis/runtime';
import {
  calculateJwkThumbprint,
  exportJWK,
  SignJWT,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose';
import { accessTokenType, signatureAlgorithm } from './claims.js';
import { signingKeyOf } from './key-file.js';
import type { TrustedIssuer } from './token-verifier.js';

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
  private readonly clock: Clock;

  private constructor(
    private readonly key: KeyObject,
    private readonly keySet: JSONWebKeySet,
    options: TokenIssuerOptions,
  ) {
    this.issuer = options.issuer ?? 'glacis';
    this.audience = options.audience ?? 'glacis';
    this.clock = options.clock ?? systemClock;
  }

  /**
   * The issuer whose key lies in `folder`; folder (0700) and key (0600) are made when absent.
   * @throws {KeyFileError} when the key file is exposed to others or holds no Ed25519 key
   */
  static async open(folder: string, options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
    return TokenIssuer.fromKey(await signingKeyOf(folder), options);
  }

  /** An issuer with the given Ed25519 private key. */
  static async fromKey(key: KeyObject, options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
    const jwk = await exportJWK(createPublicKey(key));
    const kid = await calculateJwkThumbprint(jwk, 'sha256');
    const keys = [{ ...jwk, kid, alg: signatureAlgorithm, use: 'sig' }];
    return new TokenIssuer(key, { keys }, options);
  }

  /** The public keys (RFC 7517); the key id is the thumbprint of RFC 7638. */
  jwks(): JSONWebKeySet {
    return this.keySet;
  }

  /** What a verifier needs to accept its tokens. */
  trusted(): TrustedIssuer {
    return { issuer: this.issuer, keys: this.keySet };
  }

  async issue(request: TokenRequest): Promise<IssuedToken> {
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
        kid: this.keySet.keys[0]?.kid,
        typ: accessTokenType,
      })
      .setIssuer(this.issuer)
      .setAudience(this.audience)
      .setSubject(request.subject)
      .setJti(id)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(this.key);
    return {
      token,
      id,
      issuedAt: new Date(issuedAt * 1000),
      expiresAt: new Date(expiresAt * 1000),
    };
  }
}
