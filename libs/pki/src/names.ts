import { printableString, sequence, set, utf8String } from './der.js';
import { oidDer } from './oids.js';

/** Subject attributes that this library writes. */
export type NameAttributeType =
  | 'country'
  | 'province'
  | 'locality'
  | 'streetAddress'
  | 'postalCode'
  | 'organization'
  | 'organizationalUnit'
  | 'commonName';

export interface NameAttribute {
  type: NameAttributeType;
  value: string;
}

/** Greatest length in characters (`certificates.md` 2.2; upper bounds of RFC 5280 appendix A). */
export const nameBounds: Readonly<Record<NameAttributeType, number>> = {
  country: 2,
  province: 128,
  locality: 128,
  streetAddress: 128,
  postalCode: 40,
  organization: 64,
  organizationalUnit: 64,
  commonName: 64,
};

/** True when the value may stand in a subject: not empty, within its bound; country is two PrintableString letters. */
export function isNameValue(type: NameAttributeType, value: string): boolean {
  if (type === 'country') return /^[A-Za-z]{2}$/.test(value);
  const length = Array.from(value).length;
  return length > 0 && length <= nameBounds[type] && !/\p{Cc}|\p{Cs}/u.test(value);
}

/**
 * A Name in DER: one attribute per RDN, in the order given; PrintableString for the country, UTF8String else.
 * @throws {RangeError} for a value outside its bounds.
 */
export function nameDer(attributes: readonly NameAttribute[]): Buffer {
  return sequence(...attributes.map(relativeName));
}

function relativeName({ type, value }: NameAttribute): Buffer {
  if (!isNameValue(type, value)) throw new RangeError(`name: ${type} is out of bounds`);
  const text = type === 'country' ? printableString(value) : utf8String(value);
  return set(sequence(oidDer[type], text));
}
