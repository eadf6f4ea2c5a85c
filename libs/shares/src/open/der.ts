import type { Bytes } from '../crypto/bytes.js';

/** One element of DER (X.690): its tag, its content, and itself as a whole. */
export interface Element {
  tag: number;
  content: Bytes;
  whole: Bytes;
}

export class DerError extends Error {
  override readonly name = 'DerError';
}

const SHORT = 0x80;
const MAX_LENGTH_BYTES = 4;

/** The elements that stand one after another in these bytes. */
export function elements(bytes: Bytes): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

function elementAt(bytes: Bytes, at: number): Element {
  const first = bytes[at + 1];
  const lengthBytes = first < SHORT ? 0 : first - SHORT;
  if (!(lengthBytes <= MAX_LENGTH_BYTES)) throw new DerError('a length is malformed');
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i += 1) length = length * 256 + bytes[at + 2 + i];
  const start = at + 2 + lengthBytes;
  const whole = bytes.subarray(at, start + length);
  if (!(whole.length === start + length - at)) throw new DerError('an element is cut');
  return { tag: bytes[at], content: whole.subarray(start - at), whole };
}

const INTEGER = 2;

/** ECDSA-Sig-Value as WebCrypto takes it: r and s in full width, one after the other. */
export function rawSignature(der: Bytes, width: number): Bytes {
  const [sequence] = elements(der);
  const numbers = elements(sequence.content);
  if (numbers.length !== 2 || numbers.some(({ tag }) => tag !== INTEGER))
    throw new DerError('a signature is malformed');
  const raw = new Uint8Array(2 * width);
  numbers.forEach(({ content }, i) => {
    const digits = content[0] === 0 ? content.subarray(1) : content;
    if (digits.length > width) throw new DerError('a signature is malformed');
    raw.set(digits, (i + 1) * width - digits.length);
  });
  return raw;
}
