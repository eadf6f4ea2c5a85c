import { base64url, concat, fromBase64url, type Bytes } from './bytes.js';

/** An X25519 key pair (RFC 7748): raw 32 bytes each, as base64url. */
export interface KeyPair {
  publicKey: string;
  privateKey: string;
}

/** The PKCS #8 frame of a raw X25519 private key (RFC 8410 section 7), the only form that every WebCrypto reads. */
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32);
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31));

export const KEY_BYTES = 32;

/** A key that is not 32 bytes of base64url, or of small order. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** Makes a pair whose private half may be stored. */
export async function x25519KeyPair(): Promise<KeyPair> {
  const made = await crypto.subtle.generateKey('X25519', true, ['deriveBits']);
  if (!('privateKey' in made)) throw new KeyError('no X25519 here');
  const { d = '', x = '' } = await crypto.subtle.exportKey('jwk', made.privateKey);
  return { publicKey: x, privateKey: d };
}

/** @throws KeyError */
export function rawKey(key: string): Bytes {
  const bytes = fromBase64url(key);
  if (bytes?.length !== KEY_BYTES) throw new KeyError('a key is 32 bytes of base64url');
  return bytes;
}

/**
 * The shared secret of an own private and another's public key.
 * @throws KeyError where a key is malformed, or the secret would be zero (RFC 7748 section 6.1)
 */
export async function sharedSecret(privateKey: string, publicKey: Uint8Array): Promise<Bytes> {
  const { subtle } = crypto;
  const framed = concat(PKCS8, rawKey(privateKey));
  try {
    const own = await subtle.importKey('pkcs8', framed, 'X25519', false, ['deriveBits']);
    const other = await subtle.importKey('raw', publicKey as Bytes, 'X25519', false, []);
    return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: other }, own, 256));
  } catch (error) {
    throw new KeyError('no secret comes of these keys', { cause: error });
  }
}

/** The public half of a private key: base64url of its raw bytes. */
export async function publicKeyOf(privateKey: string): Promise<string> {
  return base64url(await sharedSecret(privateKey, BASE_POINT));
}
