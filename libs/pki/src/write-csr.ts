import type { KeyObject } from 'node:crypto';
import { explicit, integer, sequence, set } from './der.js';
import { extension, type AlternativeNames } from './extensions.js';
import { spkiOf } from './keys.js';
import { oidDer, oids } from './oids.js';
import { readCertificate } from './read-certificate.js';
import { signed } from './signing.js';

/**
 * A PKCS#10 request (RFC 2986) in DER that proves possession of a key and asks for nothing: the CA sets name and
 * extensions.
 */
export function bareCsr(privateKey: KeyObject): Buffer {
  return request(privateKey, sequence(), []);
}

/** A request that asks for these alternative names and nothing else; the CA sets the subject. DER. */
export function namedCsr(privateKey: KeyObject, names: AlternativeNames): Buffer {
  const count = Object.values(names).reduce((sum, list: readonly string[]) => sum + list.length, 0);
  return request(privateKey, sequence(), count === 0 ? [] : [extension.subjectAltName(names)]);
}

/**
 * A request for the successor of a certificate: its subject and alternative names, byte for byte, with the same key or
 * another (RFC 7030 4.2.2).
 * @param certificate DER
 * @throws {DerError} when it is none
 */
export function renewalCsr(certificate: Buffer, privateKey: KeyObject): Buffer {
  const { subjectDer, extensions } = readCertificate(certificate);
  const names = extensions.get(oids.subjectAltName);
  return request(privateKey, subjectDer, names === undefined ? [] : [names.der]);
}

function request(privateKey: KeyObject, subject: Buffer, extensions: readonly Buffer[]): Buffer {
  const attributes =
    extensions.length === 0
      ? []
      : [sequence(oidDer.extensionRequest, set(sequence(...extensions)))];
  const info = sequence(integer(0), subject, spkiOf(privateKey), explicit(0, ...attributes));
  return signed(info, privateKey);
}
