import { sign, type KeyObject } from 'node:crypto';
import { bitString, explicit, integer, oid, sequence } from './der.js';
import { spkiOf } from './keys.js';
import { oids } from './oids.js';

/**
 * A PKCS#10 request (RFC 2986) that proves possession of a P-256 key and asks for nothing: the CA sets name and
 * extensions of our own servers.
 */
export function bareCsr(privateKey: KeyObject): Buffer {
  const info = sequence(integer(0), sequence(), spkiOf(privateKey), explicit(0));
  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  return sequence(info, algorithm, bitString(sign('sha256', info, privateKey)));
}
