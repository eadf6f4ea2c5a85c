import { tag } from './der.js';

/** The bytes are not the DER that was expected. The message names the rule, never the content. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** Where one element lies: its first byte, the first byte of its content, and the byte after its end. */
export interface Element {
  readonly tag: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** Bounds that untrusted bytes must keep before any parser sees them. */
export interface DerBounds {
  /** Whole input, octets. */
  maxBytes: number;
  /** Constructed elements inside one another; the outermost counts as 1. */
  maxDepth: number;
  /** Elements altogether. */
  maxElements: number;
}

/**
 * Reads tag and length at an offset; the content must end at or before `limit`.
 * @throws {DerError} for an indefinite, over-long or overhanging length and for a tag number above 30.
 */
export function readElement(der: Buffer, start: number, limit: number): Element {
  if (start + 2 > limit) throw new DerError('element is cut off');
  const tagByte = der[start] ?? 0;
  if ((tagByte & 0x1f) === 0x1f) throw new DerError('tag number above 30');
  const first = der[start + 1] ?? 0;
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  const body = start + 2 + lengthOctets;
  const length = first < 0x80 ? first : longLength(der, start + 2, lengthOctets, limit);
  if (body + length > limit) throw new DerError('length runs past the end');
  return { tag: tagByte, start, body, end: body + length };
}

function longLength(der: Buffer, at: number, octets: number, limit: number): number {
  if (octets === 0) throw new DerError('indefinite length');
  if (octets > 4 || at + octets > limit) throw new DerError('length runs past the end');
  const length = der.readUIntBE(at, octets);
  if (length < 0x80 || length < 256 ** (octets - 1)) throw new DerError('length is not minimal');
  return length;
}

/**
 * Walks a whole DER value without recursion and checks its shape: one element that fills the input, minimal definite
 * lengths, constructed encoding exactly for SEQUENCE, SET and context tags, and the bounds.
 * @throws {DerError} on the first breach.
 */
export function checkDer(der: Buffer, bounds: DerBounds): void {
  if (der.length > bounds.maxBytes) throw new DerError('input is too large');
  readOnly(der);
  const open: number[] = [];
  let elements = 0;
  for (let at = 0; at < der.length;) {
    const element = readElement(der, at, open.at(-1) ?? der.length);
    const constructed = isConstructed(element.tag);
    if (constructed) open.push(element.end);
    elements += 1;
    if (elements > bounds.maxElements) throw new DerError('too many elements');
    if (open.length > bounds.maxDepth) throw new DerError('nested too deeply');
    at = constructed ? element.body : element.end;
    while (open.at(-1) === at) open.pop();
  }
}

function isConstructed(tagByte: number): boolean {
  const constructed = (tagByte & 0x20) !== 0;
  const universal = (tagByte & 0xc0) === 0;
  const collection = (tagByte | 0x20) === tag.sequence || (tagByte | 0x20) === tag.set;
  if (universal && constructed !== collection) {
    throw new DerError('constructed and primitive encoding are mixed up');
  }
  return constructed;
}

/** The one element that fills the whole input. @throws {DerError} when it does not. */
export function readOnly(der: Buffer): Element {
  const element = readElement(der, 0, der.length);
  if (element.end !== der.length) throw new DerError('trailing bytes');
  return element;
}

/** The elements directly inside a constructed one, in order. */
export function childrenOf(der: Buffer, parent: Element): Element[] {
  const children: Element[] = [];
  for (let at = parent.body; at < parent.end;) {
    const child = readElement(der, at, parent.end);
    children.push(child);
    at = child.end;
  }
  return children;
}

/** Steps through the elements directly inside a constructed one, where each has its meaning by position. */
export class Cursor {
  private at: number;

  constructor(
    private readonly der: Buffer,
    private readonly parent: Element,
  ) {
    this.at = parent.body;
  }

  /** The next element. @throws {DerError} when none is left. */
  next(): Element {
    const element = readElement(this.der, this.at, this.parent.end);
    this.at = element.end;
    return element;
  }

  /** The next element when it has this tag; undefined, without a step, when it has not or none is left. */
  nextIf(tagByte: number): Element | undefined {
    return this.at < this.parent.end && this.der[this.at] === tagByte ? this.next() : undefined;
  }
}

/** The bytes of an element with tag and length. */
export const bytesOf = (der: Buffer, element: Element): Buffer =>
  der.subarray(element.start, element.end);

/** The content bytes of an element. */
export const contentOf = (der: Buffer, element: Element): Buffer =>
  der.subarray(element.body, element.end);

/** An INTEGER's value, two's complement. */
export function readInteger(content: Buffer): bigint {
  if (content.length === 0) throw new DerError('empty INTEGER');
  const value = BigInt(`0x${content.toString('hex')}`);
  return (content[0] ?? 0) < 0x80 ? value : value - (1n << BigInt(content.length * 8));
}

/** An OBJECT IDENTIFIER's content as dotted text. */
export function readOid(content: Buffer): string {
  if (content.length === 0 || content.length > 64) throw new DerError('object identifier length');
  if (((content[content.length - 1] ?? 0) & 0x80) !== 0) {
    throw new DerError('object identifier is cut off');
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if ((octet & 0x80) !== 0) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [head = 0n, ...rest] = arcs;
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [first, head - first * 40n, ...rest].join('.');
}

/** UTCTime or GeneralizedTime in UTC, the forms that DER allows. */
export function readTime(der: Buffer, element: Element): Date {
  const text = contentOf(der, element).toString('latin1');
  const digits =
    element.tag === tag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? 20 : 19}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (parts === null) throw new DerError('time is not in its DER form');
  const [, year, month, day, hour, minute, second] = parts;
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(at.getTime())) throw new DerError('time does not exist');
  return at;
}
