import {
  bytesOf,
  checkDer,
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
import { tag } from './der.js';
import { oids } from './oids.js';

/** What a CRL says; nothing is verified (see `isSignedBy`). Slices share the memory of the DER given. */
export interface CrlInfo {
  issuerDer: Buffer;
  thisUpdate: Date;
  /** Null when it names none. */
  nextUpdate: Date | null;
  /** cRLNumber; null in a CRL without. */
  number: bigint | null;
  /** False: it holds only a part of what its issuer revoked (issuingDistributionPoint or deltaCRLIndicator). */
  isComplete: boolean;
  entries: CrlEntryInfo[];
}

export interface CrlEntryInfo {
  serial: bigint;
  revokedAt: Date;
  /** reasonCode; 0 when there is none. */
  reason: number;
  /** The whole entry, to be joined into another CRL of the issuer. */
  der: Buffer;
}

/** A million entries fit. */
const bounds = { maxBytes: 64 << 20, maxDepth: 16, maxElements: 16_000_000 };

const deltaCrlIndicator = '2.5.29.27';

/**
 * Reads an X.509 CRL, v1 or v2 (RFC 5280 5.1).
 * @throws {DerError} when it is not one, or exceeds 64 MiB
 */
export function readCrl(der: Buffer): CrlInfo {
  checkDer(der, bounds);
  const fields = new Cursor(der, new Cursor(der, readOnly(der)).next());
  fields.nextIf(tag.integer); // version
  fields.next(); // signature algorithm
  const issuerDer = bytesOf(der, fields.next());
  const thisUpdate = readTime(der, fields.next());
  const nextUpdate = fields.nextIf(tag.utcTime) ?? fields.nextIf(tag.generalizedTime);
  const list = fields.nextIf(tag.sequence);
  const extensions = readExtensions(der, fields.nextIf(0xa0));
  const number = extensions.get(oids.crlNumber);
  return {
    issuerDer,
    thisUpdate,
    nextUpdate: nextUpdate === undefined ? null : readTime(der, nextUpdate),
    number: number === undefined ? null : readInteger(contentOf(number, readOnly(number))),
    isComplete:
      !extensions.has(oids.issuingDistributionPoint) && !extensions.has(deltaCrlIndicator),
    entries: list === undefined ? [] : childrenOf(der, list).map((each) => readEntry(der, each)),
  };
}

/** Reads one entry, as `crlEntry` makes it. @throws {DerError} */
export function readCrlEntry(der: Buffer): CrlEntryInfo {
  return readEntry(der, readOnly(der));
}

function readEntry(der: Buffer, element: Element): CrlEntryInfo {
  const fields = new Cursor(der, element);
  const serial = readInteger(contentOf(der, fields.next()));
  const revokedAt = readTime(der, fields.next());
  const reason = entryExtensions(der, fields.nextIf(tag.sequence)).get(oids.reasonCode);
  return {
    serial,
    revokedAt,
    reason: reason === undefined ? 0 : Number(readInteger(contentOf(reason, readOnly(reason)))),
    der: bytesOf(der, element),
  };
}

/** extnValue by identifier. */
type Extensions = ReadonlyMap<string, Buffer>;

function readExtensions(der: Buffer, wrapper: Element | undefined): Extensions {
  return entryExtensions(der, wrapper && childrenOf(der, wrapper)[0]);
}

function entryExtensions(der: Buffer, list: Element | undefined): Extensions {
  const elements = list === undefined ? [] : childrenOf(der, list);
  return new Map(elements.map((element) => readExtension(der, element)));
}

function readExtension(der: Buffer, element: Element): [string, Buffer] {
  const parts = childrenOf(der, element);
  const [id] = parts;
  const value = parts.at(-1);
  if (id === undefined || value === undefined) throw new DerError('empty extension');
  return [readOid(contentOf(der, id)), contentOf(der, value)];
}
