import { concat, utf8, type Bytes } from '../crypto/bytes.js';
import { rawKey, sharedSecret } from '../crypto/x25519.js';
import { wordBytes } from './binary.js';
import type { ShareFile } from './file.js';

/** The set whose duplicate slots two agents compare. */
export interface SlotSet {
  jobId: string;
  owner: string;
  /** Number of the upload set. */
  set: number;
}

export type MacKey = Awaited<ReturnType<typeof crypto.subtle.deriveKey>>;

/**
 * The key of two agents for one set (jobs.md 8): HKDF-SHA-256 of X25519 of their `mac_key`s.
 * @throws KeyError
 */
export async function slotKey(
  privateKey: string,
  peerPublicKey: string,
  { jobId, owner, set }: SlotSet,
): Promise<MacKey> {
  const secret = await sharedSecret(privateKey, rawKey(peerPublicKey));
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const salt = utf8([jobId, owner, String(set)].join('\0'));
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8('glacis-slots-1') };
  const mac = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  return crypto.subtle.deriveKey(derivation, material, mac, false, ['sign']);
}

/**
 * HMAC-SHA-256 of each copy `_j` of a file, by the name of its word column without `_j`: the text is that name, a zero byte
 * and the words. Party i + j makes them with copy 0, party i with copy j; equal slots have equal MACs.
 */
export async function slotMacs(
  key: MacKey,
  { columns }: ShareFile,
  copy: number,
): Promise<Map<string, Bytes>> {
  const suffix = `_${copy}`;
  const macs = new Map<string, Bytes>();
  for (const [header, words] of columns) {
    if (!header.endsWith(suffix)) continue;
    const name = header.slice(0, -suffix.length);
    const text = concat(utf8(`${name}\0`), wordBytes(words));
    macs.set(name, new Uint8Array(await crypto.subtle.sign('HMAC', key, text)));
  }
  return macs;
}
