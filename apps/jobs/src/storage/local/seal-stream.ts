import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { KeyError, type ByteSource } from '@glacis/shares';

const frameBytes = 65_536;
const tagBytes = 16;
const magic = Buffer.from('GSEAL1');

/**
 * What `seal` of `@glacis/shares` does, byte for byte in the same form (jobs.md 6.3), by means of Node: chunks are
 * encrypted as they come, without a copy and without a turn of the thread pool for each frame.
 * @throws {KeyError} when it is first read, for a key that is none
 */
export async function* sealStream(publicKey: string, source: ByteSource): AsyncGenerator<Buffer> {
  const { head, key } = keyFor(publicKey);
  yield head;
  let frame = 0;
  for await (const { parts, last } of frames(source)) {
    yield* encrypt(key, nonceOf(frame, last), parts);
    frame += 1;
  }
}

/** The plain bytes of each frame, in the pieces in which they came. */
async function* frames(source: ByteSource): AsyncGenerator<{ parts: Uint8Array[]; last: boolean }> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      // Only the next byte tells that a whole frame is not the last one.
      if (length === frameBytes) {
        yield { parts, last: false };
        [parts, length] = [[], 0];
      }
      const part = chunk.subarray(at, at + frameBytes - length);
      parts.push(part);
      length += part.length;
      at += part.length;
    }
  }
  yield { parts, last: true };
}

function* encrypt(key: Buffer, nonce: Buffer, parts: readonly Uint8Array[]): Generator<Buffer> {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(parts.reduce((sum, part) => sum + part.length, tagBytes));
  yield length;
  for (const part of parts) yield cipher.update(part);
  cipher.final();
  yield cipher.getAuthTag();
}

/** Number of the frame, most significant byte first, and whether it is the last one. */
function nonceOf(frame: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(frame), 3);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function keyFor(publicKey: string): { head: Buffer; key: Buffer } {
  const own = generateKeyPairSync('x25519');
  const recipient = recipientKey(publicKey);
  const ephemeral = raw(own.publicKey);
  const salt = Buffer.concat([ephemeral, raw(recipient)]);
  try {
    const secret = diffieHellman({ privateKey: own.privateKey, publicKey: recipient });
    const key = Buffer.from(hkdfSync('sha256', secret, salt, 'glacis-seal-1', 32));
    return { head: Buffer.concat([magic, ephemeral]), key };
  } catch (error) {
    throw new KeyError('no secret comes of this key', { cause: error });
  }
}

function recipientKey(publicKey: string): KeyObject {
  try {
    const jwk = { kty: 'OKP', crv: 'X25519', x: publicKey };
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch (error) {
    throw new KeyError('a key is 32 bytes of base64url', { cause: error });
  }
}

function raw(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}
