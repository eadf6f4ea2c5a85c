import { isIP, isIPv6 } from 'node:net';
import { ipBytes, ipText, isHostName, isIpv4Mapped } from '@glacis/pki';

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
  const [, bracketed, plain, port] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) return null;
  const host = canonicalHost(bracketed ?? plain ?? '');
  if (host === null || !isPort(port)) return null;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { key: port === undefined ? host : `${shown}:${Number(port)}`, host };
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

function isPort(text: string | undefined): boolean {
  return text === undefined || (Number(text) >= 1 && Number(text) <= 65_535);
}
