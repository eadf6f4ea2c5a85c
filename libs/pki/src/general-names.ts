import { ipText } from './addresses.js';
import { childrenOf, contentOf, DerError, readOnly } from './der-reader.js';
import { tag } from './der.js';

/** The kinds of subject alternative names that this library writes. */
export interface GeneralNames {
  uris: string[];
  dnsNames: string[];
  /** Canonical text. */
  ipAddresses: string[];
}

/**
 * Reads the value of a subjectAltName; other kinds of names are passed over.
 * @throws {DerError} when it is none, or an address has neither 4 nor 16 octets.
 */
export function readGeneralNames(value: Buffer): GeneralNames {
  const list = readOnly(value);
  if (list.tag !== tag.sequence) throw new DerError('no list of names');
  const names: GeneralNames = { uris: [], dnsNames: [], ipAddresses: [] };
  for (const element of childrenOf(value, list)) {
    const content = contentOf(value, element);
    if (element.tag === 0x86) names.uris.push(content.toString('latin1'));
    if (element.tag === 0x82) names.dnsNames.push(content.toString('latin1'));
    if (element.tag === 0x87) names.ipAddresses.push(address(content));
  }
  return names;
}

function address(content: Buffer): string {
  if (content.length !== 4 && content.length !== 16) throw new DerError('address length');
  return ipText(content);
}
