import {
  bytesOf,
  checkDer,
  childrenOf,
  contentOf,
  Cursor,
  DerError,
  readOid,
  readOnly,
} from './der-reader.js';
import { explicit, integer, sequence, set } from './der.js';
import { oidDer, oids } from './oids.js';

/** Bounds of an answer that is read: a few dozen certificates. */
const bounds = { maxBytes: 262_144, maxDepth: 24, maxElements: 20_000 } as const;

/**
 * Certificates in a CMS SignedData without a signer (RFC 5652 5.1), DER: the certs-only message of RFC 8551 3.2.2.
 * They are a SET, which DER orders by their bytes.
 */
export function certsOnly(certificates: readonly Buffer[]): Buffer {
  const noContent = sequence(oidDer.cmsData);
  const ordered = certificates.toSorted((a, b) => a.compare(b));
  const signedData = sequence(integer(1), set(), noContent, explicit(0, ...ordered), set());
  return sequence(oidDer.cmsSignedData, explicit(0, signedData));
}

/**
 * The certificates in a certs-only message, DER each, in the order they stand; nothing is verified. At most 256 KiB.
 * @throws {DerError} when it is none
 */
export function readCertsOnly(message: Buffer): Buffer[] {
  checkDer(message, bounds);
  const content = new Cursor(message, readOnly(message));
  const type = readOid(contentOf(message, content.next()));
  const wrapper = content.nextIf(0xa0);
  if (type !== oids.cmsSignedData || wrapper === undefined) throw new DerError('no SignedData');
  const signedData = new Cursor(message, new Cursor(message, wrapper).next());
  signedData.next(); // version
  signedData.next(); // digest algorithms
  signedData.next(); // content
  const certificates = signedData.nextIf(0xa0);
  if (certificates === undefined) return [];
  return childrenOf(message, certificates).map((element) => bytesOf(message, element));
}
