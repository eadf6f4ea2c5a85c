import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/*
 * How a service without a certificate and `certificates`, which it does not know yet, prove to each other that they hold
 * the same join token, over a TLS connection whose other end neither can verify. Both proofs are bound to the connection
 * by keying material exported from it (RFC 5705, in the manner of RFC 9266): whoever sits in between has two connections
 * with two of them, so that nothing that he hears is of use on the other, nor on any connection afterwards.
 */

const label = 'EXPORTER-glacis-join';

/** What no other TLS 1.3 connection has, the same on both of its ends. */
export function channelBinding(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(32, label, Buffer.alloc(0));
}

interface Keyed {
  token: Buffer;
  binding: Buffer;
}

export function requestProof({ token, binding }: Keyed, request: Buffer): Buffer {
  return hmac(token, ['glacis join request', binding, request]);
}

/** @param asked the proof of the request that is answered */
export function replyProof({ token, binding }: Keyed, asked: Buffer, issued: Buffer): Buffer {
  return hmac(token, ['glacis join reply', binding, asked, issued]);
}

export function isProof(proof: Buffer, expected: Buffer): boolean {
  return proof.length === expected.length && timingSafeEqual(proof, expected);
}

/** All parts but the last have a fixed length, so that no two messages read alike. */
function hmac(token: Buffer, parts: readonly (string | Buffer)[]): Buffer {
  const mac = createHmac('sha256', token);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
