import { createPrivateKey, hkdfSync, type KeyObject } from 'node:crypto';

/** PKCS #8 of an Ed25519 key, before its 32 bytes (RFC 8410 7). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The Ed25519 key that a secret of the service stands for, the same in every replica.
 * @param label what it is for, and its version
 */
export function signingKey(secret: Buffer, label: string): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', label, 32));
  return createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
}
