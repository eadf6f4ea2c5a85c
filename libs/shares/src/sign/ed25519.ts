import { base64url, fromBase64url, utf8 } from '../crypto/bytes.js';

export type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The key that binds an owner to one job (jobs.md 8.1). */
export interface OwnerKey {
  /** Raw Ed25519 as base64url: `owner_key`. */
  publicKey: string;
  signing: SigningKey;
}

/** The members of RFC 8037 in which an owner key is kept in a file. */
export interface OwnerKeyFile {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
  d: string;
}

/** @param extractable false where the key stays in the store of a browser. */
export async function makeOwnerKey(extractable: boolean): Promise<OwnerKey> {
  const made = await crypto.subtle.generateKey('Ed25519', extractable, ['sign', 'verify']);
  if (!('privateKey' in made)) throw new Error('no Ed25519 here');
  const raw = await crypto.subtle.exportKey('raw', made.publicKey);
  return { publicKey: base64url(new Uint8Array(raw)), signing: made.privateKey };
}

/** For a file that only its owner may read. */
export async function exportOwnerKey({ signing }: OwnerKey): Promise<OwnerKeyFile> {
  const { x = '', d = '' } = await crypto.subtle.exportKey('jwk', signing);
  return { kty: 'OKP', crv: 'Ed25519', x, d };
}

/** @throws where the members are no Ed25519 key */
export async function importOwnerKey(file: OwnerKeyFile): Promise<OwnerKey> {
  const { kty, crv, x, d } = file;
  const jwk = { kty, crv, x, d };
  const signing = await crypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['sign']);
  return { publicKey: x, signing };
}

/** Ed25519 (RFC 8032) of the UTF-8 bytes, as base64url. */
export async function signText(text: string, { signing }: OwnerKey): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.sign('Ed25519', signing, utf8(text))));
}

/** False also where key or signature are malformed. */
export async function verifyText(
  text: string,
  publicKey: string,
  signature: string,
): Promise<boolean> {
  const [raw, bytes] = [fromBase64url(publicKey), fromBase64url(signature)];
  if (raw?.length !== 32 || bytes?.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, bytes, utf8(text));
  } catch {
    return false;
  }
}
