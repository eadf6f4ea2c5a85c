import * as fc from 'fast-check';
import { canonicalAddress, canonicalHost } from './canonical-address.js';

describe('canonicalAddress', () => {
  it.each([
    ['192.168.100.4', '192.168.100.4', '192.168.100.4'],
    ['192.168.100.4:7001', '192.168.100.4:7001', '192.168.100.4'],
    ['Rack1.Example.', 'rack1.example', 'rack1.example'],
    ['RACK1:07001', 'rack1:7001', 'rack1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1', '2001:db8::1'],
    ['[2001:DB8::1]:7001', '[2001:db8::1]:7001', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1'],
  ])('of %s is %s', (text, key, host) => {
    expect(canonicalAddress(text)).toEqual({ key, host });
  });

  it.each([
    '',
    ' ',
    '256.1.1.1',
    '1.2.3',
    'host:0',
    'host:65536',
    'host:',
    'host:x',
    '[host]:1',
    '[192.0.2.1]:1',
    'fe80::1%eth0',
    '-a.example',
    'a_b.example',
    'a..b',
    'http://host',
    'host/path',
    'user@host',
    `${'a'.repeat(64)}.example`,
    'ä.example',
  ])('refuses %j', (text) => {
    expect(canonicalAddress(text)).toBeNull();
  });

  it('is its own canonical form, and never throws', () => {
    const some = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(some, fc.option(fc.nat(70_000)), (host, port) => {
        const text = port === null ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
        const canonical = canonicalAddress(text);
        if (canonical === null) return;
        expect(canonicalAddress(canonical.key)).toEqual(canonical);
        expect(canonicalHost(canonical.host)).toBe(canonical.host);
      }),
    );
  });
});
