import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  isSignedBy,
  readCertificate,
  readCrl,
  spkiOf,
  type CertificateInfo,
  type CrlInfo,
} from '@glacis/pki';
import { issuerIdOf } from '../issuer.entity.js';
import { CaImportError, type CaFiles } from './ca-files.js';

export interface ImportTerms {
  now: Date;
  /** What must be left of the life of a CA: the default life of a leaf. */
  leastLeftMs: number;
  /** The operator says that the CA has issued nothing (`CA_UNUSED`). */
  isUnused: boolean;
}

/** A CA certificate brought in, checked. */
export interface ImportedCa {
  id: string;
  der: Buffer;
  info: CertificateInfo;
  /** Null: offline. */
  key: KeyObject | null;
  /** What it has revoked so far; null when that is nothing, or when its key is offline and no CRL came along. */
  past: ImportedCrl | null;
}

export interface ImportedCrl extends CrlInfo {
  der: Buffer;
}

/** A root with its key, or an intermediate with its key below a root whose key is offline. */
export interface ImportedCas {
  root: ImportedCa;
  intermediate: ImportedCa | null;
}

/**
 * Checks a CA from outside (`certificates.md` 5, "brought in" and "its past").
 * @throws {CaImportError} with the file and what is wrong
 */
export function judgeCa(files: CaFiles, terms: ImportTerms): ImportedCas {
  const [first, ...others] = files.certificates.map(readOrRefuse);
  if (first === undefined) throw refusal('tls.crt', 'holds no certificate');
  assertKey(first, files.key);
  const isRoot = isSelfSigned(first);
  const root = isRoot ? first : rootAbove(first, others);
  for (const ca of isRoot ? [root] : [first, root]) assertCa(ca, terms);
  if (root.info.pathLength === 0) {
    throw refusal('tls.crt', 'the path length of the root lets no intermediate be below it');
  }
  const crls = files.crls.map((der) => crlOrRefuse(der, isRoot ? [root] : [first, root]));
  const withKey = { ...first, key: files.key, past: pastOf(first, crls, terms) };
  if (isRoot) return { root: withKey, intermediate: null };
  return {
    root: { ...root, key: null, past: latest(root, crls) },
    intermediate: withKey,
  };
}

interface Read {
  id: string;
  der: Buffer;
  info: CertificateInfo;
}

const refusal = (file: string, reason: string): CaImportError => new CaImportError(file, reason);

function readOrRefuse(der: Buffer): Read {
  try {
    return { id: issuerIdOf(der), der, info: readCertificate(der) };
  } catch (cause) {
    throw new CaImportError('tls.crt', 'holds something else than X.509 v3 certificates', {
      cause,
    });
  }
}

function assertKey({ info }: Read, key: KeyObject): void {
  if (!spkiOf(key).equals(info.spki)) {
    throw refusal('tls.key', 'is not the key of the first certificate in tls.crt');
  }
}

const publicKeyOf = ({ info }: Read): KeyObject =>
  createPublicKey({ key: info.spki, format: 'der', type: 'spki' });

const isUnder = (ca: Read, signer: Read): boolean =>
  ca.info.issuerDer.equals(signer.info.subjectDer) && isSignedBy(ca.der, publicKeyOf(signer));

const isSelfSigned = (ca: Read): boolean => isUnder(ca, ca);

function rootAbove(ca: Read, others: readonly Read[]): Read {
  const root = others.find((other) => isSelfSigned(other) && isUnder(ca, other));
  if (root !== undefined) return root;
  throw refusal(
    'tls.crt',
    'the self-signed root that signed the CA is neither in it nor in ca.crt',
  );
}

function assertCa({ info }: Read, { now, leastLeftMs }: ImportTerms): void {
  const signs = info.keyUsages.includes('keyCertSign') && info.keyUsages.includes('cRLSign');
  if (!info.isCa) throw refusal('tls.crt', 'basic constraints do not say CA');
  if (!signs) throw refusal('tls.crt', 'key usage lacks keyCertSign or cRLSign');
  if (info.notBefore > now) throw refusal('tls.crt', 'a certificate is not valid yet');
  if (info.notAfter.getTime() - now.getTime() < leastLeftMs) {
    throw refusal('tls.crt', 'a certificate ends before a leaf of the default life would');
  }
}

function crlOrRefuse(der: Buffer, cas: readonly Read[]): ImportedCrl & { of: Read } {
  const info = readCrlOrRefuse(der);
  const of = cas.find(({ info: ca }) => ca.subjectDer.equals(info.issuerDer));
  if (of === undefined) throw refusal('ca.crl', 'holds a CRL of another CA');
  if (!isSignedBy(der, publicKeyOf(of))) throw refusal('ca.crl', 'the signature of a CRL is wrong');
  if (!info.isComplete) throw refusal('ca.crl', 'holds a CRL that is only a part');
  const numbers = [info.number ?? 0n, ...info.entries.map(({ serial }) => serial)];
  if (!numbers.every(fitsIn20Octets)) {
    throw refusal('ca.crl', 'holds a number or serial of more than 20 octets');
  }
  return { ...info, der, of };
}

/** The bound of RFC 5280 for CRL numbers and serials, which the database keeps. */
const fitsIn20Octets = (number: bigint): boolean => number >= 0n && number < 1n << 160n;

function readCrlOrRefuse(der: Buffer): CrlInfo {
  try {
    return readCrl(der);
  } catch (cause) {
    throw new CaImportError('ca.crl', 'holds something else than CRLs', { cause });
  }
}

/** A CA that comes with its key may have revoked before, which our CRLs must not undo. */
function pastOf(
  ca: Read,
  crls: readonly (ImportedCrl & { of: Read })[],
  { isUnused }: ImportTerms,
): ImportedCrl | null {
  const past = latest(ca, crls);
  if (past !== null || isUnused) return past;
  throw refusal(
    'ca.crl',
    'the latest CRL of the CA is missing; set GLACIS_CERTS_CA_UNUSED=true if it has issued nothing',
  );
}

function latest(ca: Read, crls: readonly (ImportedCrl & { of: Read })[]): ImportedCrl | null {
  const [newest] = crls
    .filter(({ of }) => of === ca)
    .toSorted((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
  return newest ?? null;
}
