import { isIP, isIPv6 } from 'node:net';
import { ipBytes, ipText, isIpv4Mapped } from './addresses.js';
import { isHostName } from './host-names.js';

/** An address in the form in which addresses are compared (`backends.md` 2.4). */
export interface CanonicalAddress {
  /** Host and port. */
  key: string;
  /** The host part: what a certificate may name. */
  host: string;
}

/** IPv4, IPv6 or DNS name with an optional port; an IPv6 address with a port stands in brackets. `null`: none of them. */
export function canonicalAddress(text: string): CanonicalAddress | null {
  const whole = canonicalHost(text);
  if (whole !== null) return { key: whole, host: whole };
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const [, bracketed, plain = '', port] = match;
  const host = bracketed === undefined ? canonicalHost(plain) : canonicalIpv6(bracketed);
  return host === null ? null : withPort(host, port);
}

function withPort(host: string, port: string | undefined): CanonicalAddress | null {
  if (port === undefined) return { key: host, host };
  const number = Number(port);
  if (number < 1 || number > 65_535) return null;
  return { key: `${host.includes(':') ? `[${host}]` : host}:${number}`, host };
}

/** Lower case, compressed IPv6, no final dot. `null` when it is neither an IP address nor a DNS name. */
export function canonicalHost(text: string): string | null {
  if (isIP(text) !== 0) return canonicalIp(text);
  const name = text.replace(/\.$/, '').toLowerCase();
  return isHostName(name) ? name : null;
}

function canonicalIp(text: string): string | null {
  if (text.includes('%')) return null;
  const bytes = ipBytes(text);
  // ::ffff:192.0.2.1 is 192.0.2.1 in other words, so both count as one address.
  return ipText(isIpv4Mapped(bytes) ? bytes.subarray(12) : bytes);
}

function canonicalIpv6(text: string): string | null {
  return isIPv6(text) ? canonicalIp(text) : null;
}
