import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import { signatureAlgorithm } from './claims.js';

/** The public part of a key that signs no more; its tokens are good until then. */
export interface RetiredKey {
  jwk: JWK;
  until: Date;
}

/** The keys of our issuer at one moment: one signs, all verify. */
export interface KeyRing {
  signing: { key: KeyObject; jwk: JWK };
  retired: readonly RetiredKey[];
  /** Finds any of them, also one whose time {@link isOver}. */
  find: JWTVerifyGetKey;
}

/** Where the keys of our issuer are kept. */
export interface IssuerKeys {
  current(): Promise<KeyRing>;
  /**
   * `key` signs from now on. The one before verifies until `until`; when that has passed already, no earlier key
   * verifies any more. Not to be called twice at once, from any process.
   */
  rotate(key: KeyObject, until: Date, now: Date): Promise<void>;
}

export function newSigningKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

export async function publicJwk(key: KeyObject): Promise<JWK> {
  const jwk = await exportJWK(createPublicKey(key));
  const kid = await calculateJwkThumbprint(jwk, 'sha256');
  return { ...jwk, kid, alg: signatureAlgorithm, use: 'sig' };
}

export async function keyRing(key: KeyObject, retired: readonly RetiredKey[]): Promise<KeyRing> {
  const jwk = await publicJwk(key);
  const others = retired.filter((each) => each.jwk.kid !== jwk.kid);
  const find = createLocalJWKSet({ keys: [jwk, ...others.map((each) => each.jwk)] });
  return { signing: { key, jwk }, retired: others, find };
}

/** The keys that verify at that moment (RFC 7517), the signing one first; a key id is the thumbprint of RFC 7638. */
export function keySetAt({ signing, retired }: KeyRing, now: Date): JSONWebKeySet {
  const good = retired.filter(({ until }) => until > now);
  return { keys: [signing.jwk, ...good.map(({ jwk }) => jwk)] };
}

/** True for the id of a retired key that verifies no more. */
export function isOver({ retired }: KeyRing, keyId: string | undefined, now: Date): boolean {
  return retired.some(({ jwk, until }) => jwk.kid === keyId && until <= now);
}

/** Which keys are retired after a rotation. */
export function retiredAfter(ring: KeyRing, until: Date, now: Date): RetiredKey[] {
  if (until <= now) return [];
  const earlier = ring.retired.filter((each) => each.until > now);
  return [{ jwk: ring.signing.jwk, until }, ...earlier];
}

/** Keys that live as long as the process. */
export class MemoryKeys implements IssuerKeys {
  constructor(private ring: Promise<KeyRing>) {}

  current(): Promise<KeyRing> {
    return this.ring;
  }

  async rotate(key: KeyObject, until: Date, now: Date): Promise<void> {
    this.ring = keyRing(key, retiredAfter(await this.ring, until, now));
  }
}
