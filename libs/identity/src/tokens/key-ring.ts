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

/** A new Ed25519 private key. */
export function newSigningKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** Its id is the thumbprint of RFC 7638. */
export async function publicJwk(key: KeyObject): Promise<JWK & { kid: string }> {
  const jwk = await exportJWK(createPublicKey(key));
  const kid = await calculateJwkThumbprint(jwk, 'sha256');
  return { ...jwk, kid, alg: signatureAlgorithm, use: 'sig' };
}

export async function keyRing(key: KeyObject, retired: readonly RetiredKey[]): Promise<KeyRing> {
  const jwk = await publicJwk(key);
  const find = createLocalJWKSet({ keys: [jwk, ...retired.map((each) => each.jwk)] });
  return { signing: { key, jwk }, retired, find };
}

/** The keys that verify at that moment (RFC 7517), the signing one first. */
export function keySetAt({ signing, retired }: KeyRing, now: Date): JSONWebKeySet {
  const good = retired.filter(({ until }) => until > now);
  return { keys: [signing.jwk, ...good.map(({ jwk }) => jwk)] };
}

/** True for the id of a retired key that verifies no more. */
export function isOver({ retired }: KeyRing, keyId: string | undefined, now: Date): boolean {
  return retired.some(({ jwk, until }) => jwk.kid === keyId && until <= now);
}
