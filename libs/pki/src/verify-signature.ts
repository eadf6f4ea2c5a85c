import { verify, type KeyObject } from 'node:crypto';
import { bytesOf, contentOf, Cursor, readOid, readOnly } from './der-reader.js';
import { oids } from './oids.js';

interface SignatureScheme {
  keyType: string;
  /** Hash name for node:crypto; null where the scheme hashes by itself. */
  hash: string | null;
}

/** Signature algorithms that are taken from outside: SHA-256 or better. */
export const signatureSchemes: Readonly<Record<string, SignatureScheme>> = {
  [oids.ecdsaWithSha256]: { keyType: 'ec', hash: 'sha256' },
  [oids.ecdsaWithSha384]: { keyType: 'ec', hash: 'sha384' },
  [oids.ecdsaWithSha512]: { keyType: 'ec', hash: 'sha512' },
  [oids.sha256WithRsa]: { keyType: 'rsa', hash: 'sha256' },
  [oids.sha384WithRsa]: { keyType: 'rsa', hash: 'sha384' },
  [oids.sha512WithRsa]: { keyType: 'rsa', hash: 'sha512' },
  [oids.ed25519]: { keyType: 'ed25519', hash: null },
};

/**
 * True when the key has signed the certificate or CRL, by one of `signatureSchemes`.
 * @throws {DerError} when the bytes have not the shape of something signed
 */
export function isSignedBy(der: Buffer, key: KeyObject): boolean {
  const parts = new Cursor(der, readOnly(der));
  const toBeSigned = bytesOf(der, parts.next());
  const algorithm = new Cursor(der, parts.next()).next();
  const scheme = signatureSchemes[readOid(contentOf(der, algorithm))];
  // The first octet counts unused bits, of which a signature has none.
  const signature = contentOf(der, parts.next()).subarray(1);
  return (
    scheme !== undefined &&
    scheme.keyType === key.asymmetricKeyType &&
    verify(scheme.hash, toBeSigned, key, signature)
  );
}
