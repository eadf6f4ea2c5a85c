/**
 * A small writer of DER (X.690): definite minimal lengths only. Everything that this library signs is built from
 * these functions; what it reads from outside never passes through here.
 */

/** Tags of the universal class that X.509 needs; SEQUENCE and SET with their constructed bit. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: tag byte, length, then the parts one after another. */
export function tlv(tagByte: number, parts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = header(tagByte, length);
  return Buffer.concat([head, ...parts], head.length + length);
}

function header(tagByte: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tagByte, length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([tagByte, 0x80 | octets.length, ...octets]);
}

export const sequence = (...parts: Buffer[]): Buffer => tlv(tag.sequence, parts);
export const set = (...parts: Buffer[]): Buffer => tlv(tag.set, parts);
export const octetString = (bytes: Buffer): Buffer => tlv(tag.octetString, [bytes]);
export const boolean = (value: boolean): Buffer => Buffer.from([tag.boolean, 1, value ? 0xff : 0]);
export const utf8String = (text: string): Buffer => tlv(tag.utf8String, [Buffer.from(text)]);
export const NULL: Buffer = Buffer.from([tag.null, 0]);

/** `[number]` with the tag of the content kept (EXPLICIT). */
export const explicit = (number: number, ...parts: Buffer[]): Buffer => tlv(0xa0 | number, parts);

/** `[number]` in place of the tag of a primitive type (IMPLICIT). */
export const implicit = (number: number, bytes: Buffer): Buffer => tlv(0x80 | number, [bytes]);

/** A non-negative INTEGER in the fewest octets. @throws {RangeError} for a negative one. */
export function integer(value: bigint | number): Buffer {
  return tlv(tag.integer, [integerOctets(BigInt(value))]);
}

function integerOctets(value: bigint): Buffer {
  if (value < 0n) throw new RangeError('DER writer: negative INTEGER');
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const octets = Buffer.from(even, 'hex');
  return (octets[0] ?? 0) < 0x80 ? octets : Buffer.concat([Buffer.of(0), octets]);
}

export const enumerated = (value: number): Buffer => Buffer.from([tag.enumerated, 1, value]);

/** BIT STRING of whole octets: keys and signatures. */
export const bitString = (bytes: Buffer): Buffer => tlv(tag.bitString, [Buffer.of(0), bytes]);

/** BIT STRING of named bits (bit 0 first), trailing zero bits dropped as DER demands. */
export function namedBits(...bits: number[]): Buffer {
  const highest = Math.max(...bits);
  const octets = Buffer.alloc((highest >> 3) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return tlv(tag.bitString, [Buffer.of(7 - (highest & 7)), octets]);
}

/** OBJECT IDENTIFIER from dotted text. @throws {RangeError} when the text is no object identifier. */
export function oid(dotted: string): Buffer {
  const arcs = dotted.split('.').map(Number);
  const [first = NaN, second = NaN, ...rest] = arcs;
  const valid =
    /^[0-2](\.\d+)+$/.test(dotted) &&
    arcs.every(Number.isSafeInteger) &&
    (first === 2 || second < 40);
  if (!valid) throw new RangeError(`DER writer: ${dotted} is no object identifier`);
  return tlv(tag.oid, [Buffer.from([first * 40 + second, ...rest].flatMap(base128))]);
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    octets.unshift(0x80 | (rest % 128));
  }
  return octets;
}

/** PrintableString. @throws {RangeError} for a character outside its alphabet (X.680 41.4). */
export function printableString(text: string): Buffer {
  if (!/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)) {
    throw new RangeError('DER writer: text outside the PrintableString alphabet');
  }
  return tlv(tag.printableString, [Buffer.from(text, 'latin1')]);
}

/** GeneralizedTime in UTC without fractions: the time is cut to its second. */
export function generalizedTime(at: Date): Buffer {
  return tlv(tag.generalizedTime, [Buffer.from(timeDigits(at))]);
}

/** Time as RFC 5280 4.1.2.5 wants it: UTCTime to 2049, then GeneralizedTime; cut to its second. */
export function time(at: Date): Buffer {
  const year = at.getUTCFullYear();
  if (year < 1950 || year > 2049) return generalizedTime(at);
  return tlv(tag.utcTime, [Buffer.from(timeDigits(at).slice(2))]);
}

/** `YYYYMMDDhhmmssZ`. @throws {RangeError} for an invalid date or a year that four digits cannot hold. */
function timeDigits(at: Date): string {
  const text = at.toISOString();
  if (!/^\d{4}-/.test(text)) throw new RangeError('DER writer: year outside 0000 to 9999');
  return `${text.slice(0, 19).replace(/[-T:]/g, '')}Z`;
}
