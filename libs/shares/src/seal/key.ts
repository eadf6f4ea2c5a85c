import { concat, utf8, type Bytes } from '../crypto/bytes.js';

/** What a sealed object begins with, before the ephemeral public key. */
export const MAGIC: Bytes = utf8('GSEAL1');
/** Most plain bytes of a frame. */
export const FRAME_BYTES = 65_536;
export const TAG_BYTES = 16;

/** `application/vnd.glacis.sealed` */
export const SEALED_TYPE = 'application/vnd.glacis.sealed';

export type FrameKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** HKDF-SHA-256 of the secret; salt: ephemeral, then recipient's public key. */
export async function frameKey(
  secret: Bytes,
  ephemeral: Uint8Array,
  recipient: Uint8Array,
): Promise<FrameKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const salt = concat(ephemeral, recipient);
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8('glacis-seal-1') };
  const cipher = { name: 'AES-GCM', length: 256 };
  return crypto.subtle.deriveKey(derivation, material, cipher, false, ['encrypt', 'decrypt']);
}

/** Nonce of a frame: its number in 11 bytes, most significant first, and whether it is the last one. */
export function nonceOf(frame: number, last: boolean): Bytes {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setBigUint64(3, BigInt(frame));
  nonce[11] = last ? 1 : 0;
  return nonce;
}
