import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { clientAddress, isNetwork } from './client-address.js';

function addressOf(trusted: string[], peer: string | undefined, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddress(trusted)({ socket: { remoteAddress: peer }, headers } as IncomingMessage);
}

const proxies = ['10.0.0.0/8', 'fd00::/8', '192.0.2.7'];

test.each([
  [[], '10.0.0.1', '6.6.6.6', '10.0.0.1'],
  [proxies, '203.0.113.5', '6.6.6.6', '203.0.113.5'],
  [proxies, '10.0.0.1', undefined, '10.0.0.1'],
  [proxies, '10.0.0.1', '203.0.113.5', '203.0.113.5'],
  [proxies, '::ffff:10.0.0.1', '203.0.113.5', '203.0.113.5'],
  [proxies, 'fd00::1', '2001:db8::5', '2001:db8::5'],
  [proxies, '192.0.2.7', '203.0.113.5, 10.9.9.9 ,192.0.2.7', '203.0.113.5'],
  [proxies, '10.0.0.1', '6.6.6.6, 203.0.113.5', '203.0.113.5'],
  [proxies, '10.0.0.1', '6.6.6.6, nonsense, 10.0.0.2', '10.0.0.2'],
  [proxies, '10.0.0.1', '', '10.0.0.1'],
  [proxies, '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  [proxies, undefined, '6.6.6.6', ''],
])('trusting %j, a peer %s that says %j is %s', (trusted, peer, forwarded, address) => {
  expect(addressOf(trusted, peer, forwarded)).toBe(address);
});

test('whatever a client puts in front, the address is what the last proxy saw', () => {
  fc.assert(
    fc.property(fc.string(), fc.ipV4(), (lies, seen) => {
      fc.pre(!seen.startsWith('10.') && seen !== '192.0.2.7');
      expect(addressOf(proxies, '10.0.0.1', `${lies}, ${seen}`)).toBe(seen);
    }),
  );
});

test('networks have a prefix that fits their family', () => {
  const good = ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '::/0', '::/128'];
  const bad = [
    '',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '1.2.3.4/8/8',
    '::/-1',
  ];
  expect(good.filter((text) => !isNetwork(text))).toEqual([]);
  expect(bad.filter(isNetwork)).toEqual([]);
});
