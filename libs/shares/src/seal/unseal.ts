import type { Bytes } from '../crypto/bytes.js';
import { KEY_BYTES, publicKeyOf, rawKey, sharedSecret } from '../crypto/x25519.js';
import { FRAME_BYTES, frameKey, MAGIC, nonceOf, TAG_BYTES, type FrameKey } from './key.js';
import { ByteReader, type ByteSource, type Transform } from './stream.js';

/** Sealed bytes that are cut, changed, out of order, followed by others, or meant for another key. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Decrypts what `seal` made. Bytes come frame by frame, each authenticated; only the end of the stream tells that it is
 * whole, so nothing may be acted on before.
 * @param privateKey raw X25519 as base64url
 * @returns a transform that throws SealError (and KeyError if the key is none)
 */
export function unseal(privateKey: string): Transform {
  return (source) => unsealed(source, privateKey);
}

async function* unsealed(source: ByteSource, privateKey: string): AsyncGenerator<Bytes> {
  const reader = new ByteReader(source);
  try {
    const key = await keyOf(reader, privateKey);
    for (let frame = 0, last = false; !last; frame += 1) {
      const body = await frameOf(reader);
      last = !(await reader.more());
      yield await decrypt(key, nonceOf(frame, last), body);
    }
  } finally {
    await reader.close();
  }
}

async function keyOf(reader: ByteReader, privateKey: string): Promise<FrameKey> {
  const head = await reader.take(MAGIC.length);
  if (MAGIC.some((byte, i) => head[i] !== byte)) throw new SealError('the object is not sealed');
  const ephemeral = await reader.take(KEY_BYTES);
  if (ephemeral.length < KEY_BYTES) throw new SealError('the object ends in its head');
  const recipient = rawKey(await publicKeyOf(privateKey));
  return frameKey(await sharedSecret(privateKey, ephemeral), ephemeral, recipient);
}

async function frameOf(reader: ByteReader): Promise<Bytes> {
  const head = await reader.take(4);
  if (head.length < 4) throw new SealError('the object ends within a frame');
  const length = new DataView(head.buffer).getUint32(0, true);
  if (length < TAG_BYTES || length > FRAME_BYTES + TAG_BYTES)
    throw new SealError('a frame has a length that none has');
  const body = await reader.take(length);
  if (body.length < length) throw new SealError('the object ends within a frame');
  return body;
}

async function decrypt(key: FrameKey, iv: Bytes, body: Bytes): Promise<Bytes> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, body));
  } catch (error) {
    throw new SealError('a frame was changed, moved, or sealed to another key', { cause: error });
  }
}
