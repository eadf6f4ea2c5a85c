import { concat, type Bytes } from '../crypto/bytes.js';
import { rawKey, sharedSecret, x25519KeyPair } from '../crypto/x25519.js';
import { FRAME_BYTES, frameKey, MAGIC, nonceOf, TAG_BYTES, type FrameKey } from './key.js';
import { blocksOf, type ByteSource, type Transform } from './stream.js';

/** Frames that are encrypted at once, so that the cipher never waits for the reader. */
const AHEAD = 4;

/**
 * Encrypts to the holder of a key (jobs.md 6.3): ephemeral X25519, HKDF, frames of AES-256-GCM in a chain that cannot be
 * cut, swapped or lengthened. Each call of the transform makes an ephemeral key of its own. Memory is a few frames.
 * @param publicKey raw X25519 as base64url
 * @returns a transform that throws KeyError when it is first read, if the key is none
 */
export function seal(publicKey: string): Transform {
  return (source) => sealed(source, publicKey);
}

async function* sealed(source: ByteSource, publicKey: string): AsyncGenerator<Bytes> {
  const recipient = rawKey(publicKey);
  const own = await x25519KeyPair();
  const ephemeral = rawKey(own.publicKey);
  const secret = await sharedSecret(own.privateKey, recipient);
  const key = await frameKey(secret, ephemeral, recipient);
  yield concat(MAGIC, ephemeral);

  const pending: Promise<Bytes>[] = [];
  let frame = 0;
  let held: Bytes | undefined;
  for await (const block of blocksOf(source, FRAME_BYTES)) {
    if (held) pending.push(encrypt(key, nonceOf(frame++, false), held));
    held = block;
    if (pending.length === AHEAD) yield* pending.splice(0, 1);
  }
  pending.push(encrypt(key, nonceOf(frame, true), held ?? new Uint8Array(0)));
  yield* pending;
}

async function encrypt(key: FrameKey, iv: Bytes, block: Bytes): Promise<Bytes> {
  const framed = new Uint8Array(4 + block.length + TAG_BYTES);
  new DataView(framed.buffer).setUint32(0, block.length + TAG_BYTES, true);
  framed.set(new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, block)), 4);
  return framed;
}
