import { hex, type Bytes } from '../crypto/bytes.js';
import { DerError, elements, rawSignature } from './der.js';

/** What WebCrypto is told of a key or a signature. */
interface Parameters {
  name: string;
  namedCurve?: string;
  hash?: string;
}

interface KeyAlgorithm {
  parameters: Parameters;
  /** Bytes of r and of s, of ECDSA alone. */
  width?: number;
  /** How a receipt names a signature of this key; others sign no receipts. */
  receipt?: string;
}

const ec = (namedCurve: string, width: number, receipt?: string): KeyAlgorithm => ({
  parameters: { name: 'ECDSA', namedCurve },
  width,
  receipt,
});

/** Keys by the DER of the algorithm in their SubjectPublicKeyInfo (RFC 5480, RFC 8410), in hexadecimal. */
const KEYS: Readonly<Record<string, KeyAlgorithm>> = {
  '300506032b6570': { parameters: { name: 'Ed25519' }, receipt: 'Ed25519' },
  '301306072a8648ce3d020106082a8648ce3d030107': ec('P-256', 32, 'ES256'),
  '301006072a8648ce3d020106052b81040022': ec('P-384', 48),
  '301006072a8648ce3d020106052b81040023': ec('P-521', 66),
  '300d06092a864886f70d0101010500': { parameters: { name: 'RSASSA-PKCS1-v1_5' } },
};

/** Digests by the DER of the signature algorithm of a certificate (RFC 5758, RFC 8017); Ed25519 has its own. */
const DIGESTS: Readonly<Record<string, string | undefined>> = {
  '300506032b6570': undefined,
  '300a06082a8648ce3d040302': 'SHA-256',
  '300a06082a8648ce3d040303': 'SHA-384',
  '300a06082a8648ce3d040304': 'SHA-512',
  '300d06092a864886f70d01010b0500': 'SHA-256',
  '300d06092a864886f70d01010c0500': 'SHA-384',
  '300d06092a864886f70d01010d0500': 'SHA-512',
};

/** The parts of an X.509 certificate (RFC 5280) by which it signs and was signed. */
export interface Certificate {
  whole: Bytes;
  /** SubjectPublicKeyInfo in DER. */
  key: Bytes;
  algorithm: KeyAlgorithm;
  /** Whether its key signed a text; the signature of ECDSA is r ‖ s over SHA-256. */
  verifies: (text: Bytes, signature: Bytes) => Promise<boolean>;
  /** Whether another's key signed it. */
  signedBy: (issuer: Certificate) => Promise<boolean>;
}

/** @throws where the text is no certificate, or has a key of a kind that none of ours has */
export function readCertificate(pem: string): Certificate {
  const match = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/.exec(pem);
  if (!match) throw new DerError('there is no certificate');
  const der = Uint8Array.from(atob(match[1].replaceAll(/\s/g, '')), (c) => c.charCodeAt(0));
  const [certificate] = elements(der);
  const [signed, signatureAlgorithm, signature] = elements(certificate.content);
  const parts = elements(signed.content);
  // The version is explicit in all but the oldest; the key is the sixth of the parts after it.
  const key = parts[parts[0].tag === 0xa0 ? 6 : 5];
  const algorithm = KEYS[hex(elements(key.content)[0].whole)];
  if (!algorithm) throw new DerError('the key is of an unknown kind');
  const verify = (text: Bytes, bytes: Bytes, hash?: string): Promise<boolean> =>
    verifyWith(key.whole, algorithm.parameters, { text, bytes, hash });
  return {
    whole: certificate.whole,
    key: key.whole,
    algorithm,
    verifies: (text, bytes) => verify(text, bytes, 'SHA-256'),
    signedBy: async (issuer) => {
      const hash = DIGESTS[hex(signatureAlgorithm.whole)];
      // A bit string begins with the number of its unused bits.
      const bytes = signature.content.subarray(1);
      const { width, parameters } = issuer.algorithm;
      const raw = width ? rawSignature(bytes, width) : bytes;
      return verifyWith(issuer.key, parameters, { text: signed.whole, bytes: raw, hash });
    },
  };
}

interface SignedBytes {
  text: Bytes;
  bytes: Bytes;
  hash?: string;
}

async function verifyWith(
  spki: Bytes,
  parameters: Parameters,
  { text, bytes, hash }: SignedBytes,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('spki', spki, { ...parameters, hash }, false, [
    'verify',
  ]);
  return crypto.subtle.verify({ name: parameters.name, hash }, key, bytes, text);
}

/**
 * Each certificate is signed by the next, the last one by an authority or is one. Dates do not count: a receipt is read
 * long after its certificate ended.
 * @throws where a link does not hold
 */
export async function verifyChain(
  chain: readonly Certificate[],
  authorities?: readonly Certificate[],
): Promise<void> {
  for (const [i, issuer] of chain.slice(1).entries())
    if (!(await chain[i].signedBy(issuer))) throw new DerError('a certificate has another issuer');
  if (!authorities) return;
  const last = chain[chain.length - 1];
  for (const authority of authorities)
    if (hex(authority.whole) === hex(last.whole) || (await last.signedBy(authority))) return;
  throw new DerError('the chain ends in no known authority');
}
