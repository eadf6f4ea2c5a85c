import { sign, type KeyObject } from 'node:crypto';
import { spkiOf } from '@glacis/pki';

const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const VERSION_0 = Buffer.from('020100', 'hex');
const NO_NAME = Buffer.from('3000', 'hex');
const NO_ATTRIBUTES = Buffer.from('a000', 'hex');

/**
 * A PKCS#10 request (RFC 2986) that proves possession of a P-256 key and asks for nothing: the CA sets name and
 * extensions of our own servers.
 */
export function serviceCsr(privateKey: KeyObject): Buffer {
  const info = tlv(0x30, VERSION_0, NO_NAME, spkiOf(privateKey), NO_ATTRIBUTES);
  const signature = sign('sha256', info, privateKey);
  return tlv(0x30, info, ECDSA_WITH_SHA256, tlv(0x03, Buffer.of(0), signature));
}

/** A DER element of less than 64 KiB. */
function tlv(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), body]);
}
