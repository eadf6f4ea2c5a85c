import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** True when nobody but this machine reaches what listens on that host. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost';
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Where clients reach what listens there; empty when that says nothing of it: every address, or any port. */
export function reachableUrl(host: string, port: number): string {
  if (port === 0 || host === '0.0.0.0' || host === '::') return '';
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
