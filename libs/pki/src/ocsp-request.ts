import { AsnConvert } from '@peculiar/asn1-schema';
import type { Extension } from '@peculiar/asn1-x509';
import {
  bytesOf,
  checkDer,
  childrenOf,
  contentOf,
  Cursor,
  DerError,
  readInteger,
  readOnly,
} from './der-reader.js';
import { tag } from './der.js';
import { oids } from './oids.js';
import type { CertIdHash } from './ocsp-response.js';
import { OcspRequestSchema, type SingleRequest } from './ocsp-schema.js';

/** The request is to be answered with `malformedRequest`. */
export class OcspRequestError extends Error {
  override readonly name = 'OcspRequestError';
}

export interface OcspRequestItem {
  /** CertID as sent, to be echoed byte for byte. */
  certIdDer: Buffer;
  /** Null for a hash other than SHA-1 and SHA-256: no issuer of ours can be meant. */
  hash: CertIdHash | null;
  issuerNameHash: Buffer;
  issuerKeyHash: Buffer;
  serial: bigint;
}

export interface OcspRequest {
  /** 1 to 16, in the order asked. */
  items: OcspRequestItem[];
  /** extnValue as sent, wrapped or raw. */
  nonce?: Buffer;
}

/** Bounds of a request (`certificates.md` 6). */
const ocspRequestBounds = { maxBytes: 16_384, maxDepth: 16, maxElements: 1_000 } as const;
const maxItems = 16;
const maxNonce = 128;

/**
 * Reads an OCSP request (RFC 6960 4.1.1, nonce by RFC 9654). Requestor name and signature are ignored.
 * @throws {OcspRequestError} when it is malformed, out of bounds, has an unknown critical extension, no item or more
 * than 16, or a nonce whose length is not 1 to 128.
 */
export function readOcspRequest(der: Buffer): OcspRequest {
  try {
    checkDer(der, ocspRequestBounds);
    const { tbsRequest } = AsnConvert.parse(der, OcspRequestSchema, {
      berOptions: { maxDepth: ocspRequestBounds.maxDepth, maxNodes: ocspRequestBounds.maxElements },
    });
    if (tbsRequest.version !== 0) throw new DerError('version');
    const certIds = certIdsOf(der);
    if (certIds.length !== tbsRequest.requestList.length) throw new DerError('request list');
    if (certIds.length === 0 || certIds.length > maxItems) throw new DerError('count of requests');
    const items = tbsRequest.requestList.map((request, i) => readItem(request, certIds[i]));
    const nonce = readNonce(tbsRequest.requestExtensions);
    return nonce === undefined ? { items } : { items, nonce };
  } catch (cause) {
    throw new OcspRequestError('malformed OCSP request', { cause });
  }
}

/** The CertIDs byte for byte, which the parsed form does not keep. */
function certIdsOf(der: Buffer): Buffer[] {
  const fields = new Cursor(der, new Cursor(der, readOnly(der)).next());
  fields.nextIf(0xa0); // version
  fields.nextIf(0xa1); // requestor name
  const list = fields.next();
  return childrenOf(der, list).map((request) => bytesOf(der, new Cursor(der, request).next()));
}

const hashes: Readonly<Record<string, CertIdHash>> = {
  [oids.sha1]: 'sha1',
  [oids.sha256]: 'sha256',
};

function readItem(request: SingleRequest, certIdDer: Buffer | undefined): OcspRequestItem {
  if (certIdDer === undefined) throw new DerError('request list');
  const { reqCert } = request;
  refuseUnknownCritical(request.singleRequestExtensions);
  return {
    certIdDer,
    hash: hashes[reqCert.hashAlgorithm.algorithm] ?? null,
    issuerNameHash: Buffer.from(reqCert.issuerNameHash.buffer),
    issuerKeyHash: Buffer.from(reqCert.issuerKeyHash.buffer),
    serial: readInteger(Buffer.from(reqCert.serialNumber)),
  };
}

// The one response type of ours is the basic one, which every acceptable-responses list must hold.
const understood: readonly string[] = [oids.ocspNonce, oids.ocspAcceptableResponses];

function refuseUnknownCritical(extensions: Extension[] | undefined): void {
  for (const { critical, extnID } of extensions ?? []) {
    if (critical && !understood.includes(extnID)) throw new DerError('unknown critical extension');
  }
}

function readNonce(extensions: Extension[] | undefined): Buffer | undefined {
  refuseUnknownCritical(extensions);
  const nonces = (extensions ?? []).filter(({ extnID }) => extnID === oids.ocspNonce);
  if (nonces.length > 1) throw new DerError('two nonces');
  const [nonce] = nonces;
  if (nonce === undefined) return undefined;
  const value = Buffer.from(nonce.extnValue.buffer);
  const length = nonceLength(value);
  if (length === 0 || length > maxNonce) throw new DerError('nonce length');
  return value;
}

/** Clients send the nonce as an OCTET STRING inside extnValue, older ones as its bare bytes. */
function nonceLength(value: Buffer): number {
  try {
    const inner = readOnly(value);
    return inner.tag === tag.octetString ? contentOf(value, inner).length : value.length;
  } catch {
    return value.length;
  }
}
