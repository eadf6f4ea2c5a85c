import { randomBytes } from 'node:crypto';

/** Greatest serial: 20 octets with the sign bit clear (RFC 5280 4.1.2.2). */
const maxSerial = (1n << 159n) - 1n;

/** A new serial: 128 random bits, never 0. `random` gives that many random bytes. */
export function newSerial(random: (size: number) => Buffer = randomBytes): bigint {
  for (;;) {
    const serial = BigInt(`0x${random(16).toString('hex')}`);
    if (serial !== 0n) return serial;
  }
}

/** Decimal text of a serial; text is taken as bare hex, the way TLS libraries print serials. */
export function serialToDecimal(serial: bigint | string): string {
  return (typeof serial === 'bigint' ? serial : BigInt(`0x${serial}`)).toString();
}

/**
 * Reads a serial from a path or body: decimal, `0x` hex, or colon-separated hex octets. Plain digits are always
 * decimal. Null when it is none of these, 0, or beyond 20 octets.
 */
export function parseSerial(text: string): bigint | null {
  if (text.length > 64) return null;
  const serial = serialValue(text);
  return serial !== null && serial > 0n && serial <= maxSerial ? serial : null;
}

function serialValue(text: string): bigint | null {
  if (/^\d+$/.test(text)) return BigInt(text);
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return BigInt(text.toLowerCase());
  if (/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+$/.test(text)) {
    return BigInt(`0x${text.replaceAll(':', '')}`);
  }
  return null;
}
