import type { KeyObject } from 'node:crypto';
import { newId, systemClock, type Clock } from '@glacis/runtime';
import { errors, SignJWT, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { accessTokenType, signatureAlgorithm } from './claims.js';
import { KeyFolder } from './key-folder.js';
import {
  isOver,
  keyRing,
  keySetAt,
  MemoryKeys,
  newSigningKey,
  publicJwk,
  type IssuerKeys,
} from './key-ring.js';
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

/** Milliseconds for which a retired key verifies beyond its overlap: a token may be signed while the key is replaced. */
const rotationMarginMs = 60_000;

/** Makes access tokens: EdDSA JWTs, signed with a key of its own. */
export class TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
  private readonly clock: Clock;

  private constructor(
    private readonly keys: IssuerKeys,
    options: TokenIssuerOptions,
  ) {
    this.issuer = options.issuer ?? 'glacis';
    this.audience = options.audience ?? 'glacis';
    this.clock = options.clock ?? systemClock;
  }

  /**
   * The issuer whose keys lie in `folder`, which several processes may share; folder (0700) and key (0600) are made
   * when absent.
   * @throws {KeyFileError} when the key file is exposed to others or holds no Ed25519 key
   */
  static async open(folder: string, options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
    return new TokenIssuer(await KeyFolder.open(folder), options);
  }

  /** An issuer with the given Ed25519 private key, in memory. */
  static async fromKey(key: KeyObject, options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
    return new TokenIssuer(new MemoryKeys(keyRing(key, [])), options);
  }

  /** The public keys (RFC 7517), the signing one first; the key id is the thumbprint of RFC 7638. */
  async jwks(): Promise<JSONWebKeySet> {
    return keySetAt(await this.keys.current(), this.clock.now());
  }

  /** What a verifier in this process needs to accept its tokens. */
  trusted(): TrustedIssuer {
    const keys: JWTVerifyGetKey = async (header, token) => {
      const ring = await this.keys.current();
      if (isOver(ring, header.kid, this.clock.now())) throw new errors.JWKSNoMatchingKey();
      return ring.find(header, token);
    };
    return ownIssuer(this, { keys });
  }

  /**
   * Signs with a new key from now on. Not to be called twice at once, from any process.
   * @param overlapMs how long tokens made before are still good; 0 refuses all of them
   * @param record told the id of the new key, which is used only once this has resolved
   * @returns the id of the new key
   */
  async rotate(
    overlapMs: number,
    record: (keyId: string) => Promise<void> = async () => undefined,
  ): Promise<string> {
    const key = newSigningKey();
    const keyId = String((await publicJwk(key)).kid);
    await record(keyId);
    const now = this.clock.now();
    const until = new Date(now.getTime() + (overlapMs > 0 ? overlapMs + rotationMarginMs : 0));
    await this.keys.rotate(key, until, now);
    return keyId;
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
