import { fromBase64url, hex, utf8 } from '../crypto/bytes.js';

/** Encodes a text of a hash-coded column. */
export type HashText = (text: string) => Promise<string>;

/**
 * The code of text in a hash-coded VARCHAR column (jobs.md 11.3): the first 64 bits of HMAC-SHA-256(salt, NFC text).
 * @param salt of the job, base64url
 * @returns a function to 16 hexadecimal digits
 */
export async function textHasher(salt: string): Promise<HashText> {
  const raw = fromBase64url(salt);
  if (!raw?.length) throw new Error('the salt is no base64url');
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', raw, algorithm, false, ['sign']);
  return async (text) => {
    const mac = await crypto.subtle.sign('HMAC', key, utf8(text.normalize('NFC')));
    return hex(new Uint8Array(mac, 0, 8));
  };
}
