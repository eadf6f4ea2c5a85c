import {
  bytesOf,
  childrenOf,
  contentOf,
  Cursor,
  DerError,
  readInteger,
  readOid,
  readOnly,
  readTime,
  type Element,
} from './der-reader.js';
import { keyUsageBits, type KeyUsage } from './extensions.js';
import { readGeneralNames, type GeneralNames } from './general-names.js';
import { keyIdOf } from './keys.js';
import { oids } from './oids.js';

/** What a certificate says; slices share the memory of the DER given. */
export interface CertificateInfo extends GeneralNames {
  serial: bigint;
  issuerDer: Buffer;
  subjectDer: Buffer;
  spki: Buffer;
  notBefore: Date;
  notAfter: Date;
  /** Subject key identifier; computed (RFC 5280 4.2.1.2, method 1) when the certificate has none. */
  keyId: Buffer;
  authorityKeyId: Buffer | null;
  isCa: boolean;
  pathLength: number | null;
  keyUsages: KeyUsage[];
  /** Dotted purposes. */
  extKeyUsages: string[];
  extensions: ReadonlyMap<string, ReadExtension>;
}

export interface ReadExtension {
  critical: boolean;
  /** Content of extnValue. */
  value: Buffer;
  /** The whole Extension. */
  der: Buffer;
}

/**
 * Reads an X.509 v3 certificate; nothing is verified.
 * @throws {DerError} when it is not one.
 */
export function readCertificate(der: Buffer): CertificateInfo {
  const fields = new Cursor(der, new Cursor(der, readOnly(der)).next());
  if (fields.nextIf(0xa0) === undefined) throw new DerError('no X.509 v3 certificate');
  const serial = readInteger(contentOf(der, fields.next()));
  fields.next(); // signature algorithm
  const issuerDer = bytesOf(der, fields.next());
  const validity = new Cursor(der, fields.next());
  const notBefore = readTime(der, validity.next());
  const notAfter = readTime(der, validity.next());
  const subjectDer = bytesOf(der, fields.next());
  const spki = bytesOf(der, fields.next());
  const extensions = readExtensions(der, fields.nextIf(0xa3));
  return {
    serial,
    issuerDer,
    subjectDer,
    spki,
    notBefore,
    notAfter,
    extensions,
    keyId: subjectKeyId(extensions) ?? keyIdOf(spki),
    authorityKeyId: authorityKeyId(extensions),
    ...basicConstraints(extensions),
    keyUsages: keyUsages(extensions),
    extKeyUsages: extKeyUsages(extensions),
    ...alternativeNames(extensions),
  };
}

type Extensions = ReadonlyMap<string, ReadExtension>;

function readExtensions(der: Buffer, wrapper: Element | undefined): Extensions {
  const [list] = wrapper === undefined ? [] : childrenOf(der, wrapper);
  const elements = list === undefined ? [] : childrenOf(der, list);
  return new Map(
    elements.map((element) => {
      const parts = childrenOf(der, element);
      const [id] = parts;
      const value = parts[parts.length - 1];
      if (id === undefined || value === undefined) throw new DerError('empty extension');
      const critical = parts.length === 3;
      return [
        readOid(contentOf(der, id)),
        { critical, value: contentOf(der, value), der: bytesOf(der, element) },
      ];
    }),
  );
}

/** The elements inside the SEQUENCE that an extension's value is; none when it is absent. */
function valuesIn(extensions: Extensions, id: string): [Buffer, Element][] {
  const value = extensions.get(id)?.value;
  if (value === undefined) return [];
  return childrenOf(value, readOnly(value)).map((element) => [value, element]);
}

function subjectKeyId(extensions: Extensions): Buffer | null {
  const value = extensions.get(oids.subjectKeyIdentifier)?.value;
  return value === undefined ? null : contentOf(value, readOnly(value));
}

function authorityKeyId(extensions: Extensions): Buffer | null {
  const found = valuesIn(extensions, oids.authorityKeyIdentifier).find(([, e]) => e.tag === 0x80);
  return found === undefined ? null : contentOf(...found);
}

function basicConstraints(extensions: Extensions): { isCa: boolean; pathLength: number | null } {
  const [ca, pathLength] = valuesIn(extensions, oids.basicConstraints);
  return {
    isCa: ca !== undefined && ca[1].tag === 0x01 && contentOf(...ca)[0] === 0xff,
    pathLength: pathLength === undefined ? null : Number(readInteger(contentOf(...pathLength))),
  };
}

function extKeyUsages(extensions: Extensions): string[] {
  return valuesIn(extensions, oids.extKeyUsage).map((purpose) => readOid(contentOf(...purpose)));
}

function keyUsages(extensions: Extensions): KeyUsage[] {
  const value = extensions.get(oids.keyUsage)?.value;
  if (value === undefined) return [];
  const bits = contentOf(value, readOnly(value)).subarray(1);
  return (Object.entries(keyUsageBits) as [KeyUsage, number][])
    .filter(([, bit]) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
    .map(([usage]) => usage);
}

function alternativeNames(extensions: Extensions): GeneralNames {
  const value = extensions.get(oids.subjectAltName)?.value;
  return value === undefined
    ? { uris: [], dnsNames: [], ipAddresses: [] }
    : readGeneralNames(value);
}
