import {
  createCipheriv,
  createHmac,
  createSecretKey,
  type Cipher,
  type KeyObject,
} from 'node:crypto';

export type PartyId = 0 | 1 | 2;

/** What key streams are for (jobs.md 11.4); one key of one step is expanded once for each. */
export type Purpose = 'zero' | 'in' | 'mask' | 'perm' | 'r' | 's';

/** The party that shares a key with this one: k_i is known to i and its next, k_{i-1} to i and its previous. */
export type Neighbour = 'next' | 'previous';

/** The rules of the protocol are broken: by a fault, or by a party that deviates. The run ends (class `protocol`). */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(
    readonly code: 'protocol_opening' | 'protocol_width',
    message: string,
  ) {
    super(message);
  }
}

const CHUNK = Buffer.alloc(1 << 20);
const COUNTER = Buffer.alloc(16);

/** Words that two parties draw alike, one after another. */
export interface Stream {
  /** The next `length` words. */
  words(length: number): Int32Array;
}

/** AES-128-CTR under a key of its own, read as little-endian words. */
class KeyStream implements Stream {
  private readonly cipher: Cipher;

  constructor(key: Uint8Array) {
    this.cipher = createCipheriv('aes-128-ctr', key, COUNTER);
  }

  words(length: number): Int32Array {
    const words = new Int32Array(length);
    const bytes = new Uint8Array(words.buffer);
    for (let at = 0; at < bytes.length; at += CHUNK.length) {
      const size = Math.min(CHUNK.length, bytes.length - at);
      bytes.set(this.cipher.update(CHUNK.subarray(0, size)), at);
    }
    return words;
  }
}

/** F of 11.4: the stream of one key for one step and purpose. */
export type Streams = (key: Neighbour, step: number, purpose: Purpose) => Stream;

/**
 * Streams under HKDF-SHA-256(key, step, purpose).
 * @param keys secrets of at least 16 bytes, `next` known to this party and its next, `previous` to it and its previous.
 */
export function keyStreams(keys: Readonly<Record<Neighbour, Uint8Array>>): Streams {
  const extracted = { next: extract(keys.next), previous: extract(keys.previous) };
  return (key, step, purpose) => {
    const info = `glacis-mpc-1 ${step} ${purpose}\x01`;
    const block = createHmac('sha256', extracted[key]).update(info).digest();
    return new KeyStream(block.subarray(0, 16));
  };
}

/** HKDF-Extract without salt (RFC 5869, 2.2), once for each key: what is left for a stream is one HMAC. */
const extract = (key: Uint8Array): KeyObject =>
  createSecretKey(createHmac('sha256', new Uint8Array(32)).update(key).digest());

/** What one party has of its own: its number, its key streams, and the count of steps that keeps them apart. */
export class Party {
  private op = 0;

  constructor(
    readonly id: PartyId,
    readonly stream: Streams,
  ) {}

  /** A number for a step, the same at all parties since they do the same steps in the same order. */
  step(): number {
    this.op += 1;
    return this.op;
  }
}
