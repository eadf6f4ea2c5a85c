import { verify, type KeyObject } from 'node:crypto';
import { CertificationRequest } from '@peculiar/asn1-csr';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  ExtendedKeyUsage,
  Extensions,
  KeyUsage,
  KeyUsageFlags,
  type Extension,
} from '@peculiar/asn1-x509';
import { bytesOf, checkDer, Cursor, DerError, readOnly } from './der-reader.js';
import { oid } from './der.js';
import { extensionDer } from './extensions.js';
import { readGeneralNames, type GeneralNames } from './general-names.js';
import { KeyError, readPublicKey } from './key-rules.js';
import { oids } from './oids.js';
import { fromPem } from './pem.js';
import { signatureSchemes } from './verify-signature.js';

/**
 * A certification request cannot be used. `malformed`: it is none, or its signature is wrong. `rejected`: its key or
 * hash is too weak, or it asks for a CA certificate.
 */
export class CsrError extends Error {
  override readonly name = 'CsrError';
  constructor(
    readonly code: 'malformed' | 'rejected',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a certificate may take from a CSR (`certificates.md` 5.1); its signature is verified. */
export interface Csr {
  /** SubjectPublicKeyInfo in DER. */
  spki: Buffer;
  /** `ECDSA-P256`, `-P384`, `-P521`, `Ed25519` or `RSA-<bits>`. */
  keyAlgorithm: string;
  /** The subject asked for, a Name in DER. No certificate takes it; a renewal compares it. */
  subjectDer: Buffer;
  /** SAN URIs; as the subject. */
  uris: string[];
  /** SAN addresses in canonical text; IPv4-mapped ones are not sorted out here. */
  ipAddresses: string[];
  /** SAN DNS names as written. */
  dnsNames: string[];
  /** The CSR asks for EKU serverAuth. */
  serverAuth: boolean;
  /** Extensions that carry TEE evidence (`certificates.md` 15.4), complete, never critical. */
  evidence: Buffer[];
}

/** Bounds of a request's DER; evidence of a TEE fits several times. */
const csrBounds = { maxBytes: 49_152, maxDepth: 24, maxElements: 2_000 } as const;
const maxText = 131_072;

const evidenceOids = ['1.2.3.4.5.6', '2.99999.1.0', '2.99999.1.1', '2.99999.1.2'];

/**
 * Reads a PKCS#10 request: PEM text, base64 of PEM or of DER, or DER.
 * @throws {CsrError}
 */
export function readCsr(input: string | Buffer): Csr {
  const der = Buffer.isBuffer(input) ? input : derOf(input);
  try {
    return read(der);
  } catch (cause) {
    if (cause instanceof CsrError) throw cause;
    if (cause instanceof KeyError) throw new CsrError(cause.code, cause.message, { cause });
    throw new CsrError('malformed', 'not a PKCS#10 request', { cause });
  }
}

function derOf(text: string): Buffer {
  if (text.length > maxText) throw new CsrError('malformed', 'CSR is too long');
  if (text.includes('-----BEGIN')) return derOfPem(text);
  const base64 = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw new CsrError('malformed', 'CSR is neither PEM nor base64');
  }
  const bytes = Buffer.from(base64, 'base64');
  return bytes.includes('-----BEGIN') ? derOfPem(bytes.toString('latin1')) : bytes;
}

function derOfPem(text: string): Buffer {
  const block = fromPem(text).find(({ label }) => /^(NEW )?CERTIFICATE REQUEST$/.test(label));
  if (block === undefined) throw new CsrError('malformed', 'PEM holds no certificate request');
  return block.der;
}

function read(der: Buffer): Csr {
  checkDer(der, csrBounds);
  const parsed = parse(der, CertificationRequest);
  const { info, subjectDer, spki } = slices(der);
  const { publicKey, algorithm } = readPublicKey(spki);
  verifySignature(parsed, info, publicKey);
  const extensions = requestedExtensions(parsed);
  refuseCa(extensions);
  return {
    subjectDer,
    spki,
    keyAlgorithm: algorithm,
    ...requestedNames(extensions),
    serverAuth: asksServerAuth(extensions),
    evidence: evidenceIn(extensions),
  };
}

/** What was signed, the subject and the key, byte for byte: the parsed form does not keep them. */
function slices(der: Buffer): { info: Buffer; subjectDer: Buffer; spki: Buffer } {
  const info = new Cursor(der, readOnly(der)).next();
  const fields = new Cursor(der, info);
  fields.next(); // version
  const subjectDer = bytesOf(der, fields.next());
  return { info: bytesOf(der, info), subjectDer, spki: bytesOf(der, fields.next()) };
}

function parse<T>(der: Buffer, type: new () => T): T {
  const berOptions = { maxDepth: csrBounds.maxDepth, maxNodes: csrBounds.maxElements };
  return AsnConvert.parse(der, type, { berOptions });
}

function verifySignature(request: CertificationRequest, info: Buffer, key: KeyObject): void {
  const algorithm = signatureSchemes[request.signatureAlgorithm.algorithm];
  if (algorithm === undefined) throw new CsrError('rejected', 'signature algorithm is unsupported');
  const matches =
    algorithm.keyType === key.asymmetricKeyType &&
    verify(algorithm.hash, info, key, Buffer.from(request.signature));
  if (!matches) throw new CsrError('malformed', 'CSR signature is wrong');
}

function requestedExtensions(request: CertificationRequest): Extension[] {
  const values = request.certificationRequestInfo.attributes
    .filter(({ type }) => type === oids.extensionRequest)
    .flatMap((attribute) => attribute.values);
  if (values.length > 1) throw new DerError('more than one extension request');
  const [value] = values;
  return value === undefined ? [] : [...parse(Buffer.from(value), Extensions)];
}

/** The value of one extension; undefined when it is not asked for. */
function valueOf(extensions: Extension[], id: string): Buffer | undefined {
  const [extension, second] = extensions.filter(({ extnID }) => extnID === id);
  if (second !== undefined) throw new DerError('extension is asked for twice');
  return extension && Buffer.from(extension.extnValue.buffer);
}

/** As `valueOf`, for a value that is DER itself: within the bounds. */
function derValueOf(extensions: Extension[], id: string): Buffer | undefined {
  const value = valueOf(extensions, id);
  if (value !== undefined) checkDer(value, csrBounds);
  return value;
}

function refuseCa(extensions: Extension[]): void {
  const usage = derValueOf(extensions, oids.keyUsage);
  const constraints = derValueOf(extensions, oids.basicConstraints);
  const signs =
    usage !== undefined &&
    (parse(usage, KeyUsage).toNumber() & (KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)) !== 0;
  if (signs || (constraints !== undefined && parse(constraints, BasicConstraints).cA)) {
    throw new CsrError('rejected', 'CSR asks for a CA certificate');
  }
}

function asksServerAuth(extensions: Extension[]): boolean {
  const purposes = derValueOf(extensions, oids.extKeyUsage);
  return purposes !== undefined && parse(purposes, ExtendedKeyUsage).includes(oids.serverAuth);
}

function requestedNames(extensions: Extension[]): GeneralNames {
  const value = derValueOf(extensions, oids.subjectAltName);
  return value === undefined
    ? { uris: [], ipAddresses: [], dnsNames: [] }
    : readGeneralNames(value);
}

function evidenceIn(extensions: Extension[]): Buffer[] {
  return evidenceOids.flatMap((id) => {
    const value = valueOf(extensions, id);
    return value === undefined ? [] : [extensionDer(oid(id), value)];
  });
}
