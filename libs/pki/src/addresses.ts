import { isIP, isIPv4 } from 'node:net';

/**
 * The octets of an address in text: 4 for IPv4, 16 for IPv6.
 * @throws {RangeError} for anything else, zoned addresses (`fe80::1%eth0`) among it.
 */
export function ipBytes(text: string): Buffer {
  if (isIP(text) === 0 || text.includes('%')) throw new RangeError('no IP address');
  return isIPv4(text) ? ipv4Bytes(text) : ipv6Bytes(text);
}

const ipv4Bytes = (text: string): Buffer => Buffer.from(text.split('.').map(Number));

function ipv6Bytes(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array<number>(16 - before.length - after.length).fill(0);
  return Buffer.from([...before, ...zeros, ...after]);
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return [...ipv4Bytes(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** An address in its canonical text (RFC 5952): lower case, the longest run of zero groups as `::`. */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length !== 16) throw new RangeError('no IP address');
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  const run = longestZeroRun(words);
  const hex = words.map((word) => word.toString(16));
  if (run.length < 2) return hex.join(':');
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`;
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  words.forEach((word, i) => {
    if (word !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  });
  return best;
}

/** IPv6 that carries an IPv4 address (`::ffff:a.b.c.d`): two spellings of one host, so certificates refuse it. */
export function isIpv4Mapped(bytes: Buffer): boolean {
  const prefix = bytes.subarray(0, 10);
  return (
    bytes.length === 16 && prefix.every((octet) => octet === 0) && bytes.readUInt16BE(10) === 0xffff
  );
}

/**
 * Canonical text of an address that a certificate may carry, or null: no address, zoned, or IPv4-mapped
 * (`certificates.md` 2.2).
 */
export function certificateIp(text: string): string | null {
  if (isIP(text) === 0 || text.includes('%')) return null;
  const bytes = ipBytes(text);
  return isIpv4Mapped(bytes) ? null : ipText(bytes);
}

/** An address block: the network address with its host bits cleared, and the count of leading bits that are fixed. */
export interface Cidr {
  network: Buffer;
  prefix: number;
}

/** Parses `10.0.0.0/8` or `2001:db8::/32`; null when it is none. Host bits are cleared; a bare address is none. */
export function parseCidr(text: string): Cidr | null {
  const match = /^([0-9A-Fa-f:.]{2,45})\/(0|[1-9]\d{0,2})$/.exec(text);
  const [, address = '', length = ''] = match ?? [];
  if (isIP(address) === 0) return null;
  const bytes = ipBytes(address);
  const prefix = Number(length);
  return prefix > bytes.length * 8 ? null : { network: masked(bytes, prefix), prefix };
}

export const cidrText = (cidr: Cidr): string => `${ipText(cidr.network)}/${cidr.prefix}`;

/** True when the address (text) lies in the block; families never mix. */
export function cidrContains(cidr: Cidr, address: string): boolean {
  const bytes = ipBytes(address);
  return bytes.length === cidr.network.length && masked(bytes, cidr.prefix).equals(cidr.network);
}

/** True when two blocks share an address, which is when one holds the other's network. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  const [wide, narrow] = a.prefix <= b.prefix ? [a, b] : [b, a];
  return (
    wide.network.length === narrow.network.length &&
    masked(narrow.network, wide.prefix).equals(wide.network)
  );
}

function masked(bytes: Buffer, prefix: number): Buffer {
  return Buffer.from(
    bytes.map((octet, i) => octet & (0xff << (8 - Math.min(8, Math.max(0, prefix - i * 8))))),
  );
}
