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
  /** RFC 7517; the key id is the thumbprint of RFC 7638. */
  keySet: JSONWebKeySet;
  find: JWTVerifyGetKey;
}

/** Where the keys of our issuer are kept. */
export interface IssuerKeys {
  current(): Promise<KeyRing>;
  /**
   * A new key signs from now on. The one before verifies until `until`; when that has passed already, no earlier key
   * verifies any more. Not to be called twice at once, from any process.
   */
  rotate(until: Date, now: Date): Promise<KeyRing>;
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
  const keySet = { keys: [jwk, ...others.map((each) => each.jwk)] };
  return { signing: { key, jwk }, retired: others, keySet, find: createLocalJWKSet(keySet) };
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

  async rotate(until: Date, now: Date): Promise<KeyRing> {
    this.ring = keyRing(newSigningKey(), retiredAfter(await this.ring, until, now));
    return this.ring;
  }
}
