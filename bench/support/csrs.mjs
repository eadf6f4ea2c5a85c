// CSRs by the thousand: P-256, one DNS name, each with a key of its own.
import { generateKeyPairSync, sign } from 'node:crypto';
import { nameDer, extension, toPem, oids } from '@glacis/pki';
import * as der from '../../libs/pki/dist/der.js';

/** PEM of one CSR for `subject` as common name and DNS name. */
function csr(subject) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = extension.subjectAltName({ dnsNames: [subject] });
  const info = der.sequence(
    der.integer(0),
    nameDer([{ type: 'commonName', value: subject }]),
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(0, der.sequence(der.oid(oids.extensionRequest), der.set(der.sequence(names)))),
  );
  const algorithm = der.sequence(der.oid(oids.ecdsaWithSha256));
  const signature = der.bitString(sign('sha256', info, privateKey));
  return toPem('CERTIFICATE REQUEST', der.sequence(info, algorithm, signature));
}

export const csrs = (count, subject) => Array.from({ length: count }, () => csr(subject));
