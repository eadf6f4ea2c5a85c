import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

/** Tells the IP address that a request comes from. */
export type ClientAddress = (raw: IncomingMessage) => string;

/** True for an IP address or a network such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, more] = text.split('/');
  if (more !== undefined || isIP(address) === 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128);
}

const peerOf: ClientAddress = (raw) => raw.socket.remoteAddress ?? '';

/**
 * The peer of the connection or, while that is one of `trusted`, the address that it names in `X-Forwarded-For`: the
 * last one there that is not trusted itself. What others put before it counts for nothing.
 * @param trusted IP addresses and networks of our own proxies
 */
export function clientAddress(trusted: readonly string[]): ClientAddress {
  if (trusted.length === 0) return peerOf;
  const isTrusted = membership(trusted);
  return (raw) => {
    let client = peerOf(raw);
    const hops = String(raw.headers['x-forwarded-for'] ?? '').split(',');
    while (isTrusted(client)) {
      const hop = hops.pop()?.trim() ?? '';
      if (isIP(hop) === 0) break;
      client = hop;
    }
    return client;
  };
}

function membership(networks: readonly string[]): (address: string) => boolean {
  const known = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    const bits = prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix);
    known.addSubnet(address, bits, family);
  }
  // BlockList takes an IPv4-mapped IPv6 address for the IPv4 address that it is.
  return (address) =>
    isIP(address) !== 0 && known.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
