import fc from 'fast-check';
import { covers, overlap, reservedSpace, spaceOf, type NameSpace } from './name-space.js';

const label = fc.constantFrom('a', 'b', 'ab', 'x');
const hostName = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const address = fc
  .tuple(fc.constantFrom(10, 11), fc.constantFrom(0, 128), fc.nat(1), fc.nat(1))
  .map((octets) => octets.join('.'));
const cidr = fc
  .tuple(address, fc.integer({ min: 6, max: 32 }))
  .map(([base, prefix]) => `${base}/${prefix}`);
const space: fc.Arbitrary<NameSpace> = fc
  .record({
    suffixes: fc.array(hostName, { maxLength: 2 }),
    cidrs: fc.array(cidr, { maxLength: 2 }),
    names: fc.array(fc.oneof(hostName, address), { maxLength: 2 }),
  })
  .map(({ suffixes, cidrs, names }) => ({ ...spaceOf(suffixes, cidrs), names: new Set(names) }));

describe('name spaces', () => {
  it('overlap is mutual, and certain where a name lies in both', () => {
    fc.assert(
      fc.property(space, space, fc.oneof(hostName, address), (a, b, name) => {
        expect(overlap(a, b)).toBe(overlap(b, a));
        if (covers(a, name) && covers(b, name)) expect(overlap(a, b)).toBe(true);
      }),
    );
  });

  it('a suffix holds itself and what is below it, label by label', () => {
    const granted = spaceOf(['example.org'], []);
    expect(covers(granted, 'example.org')).toBe(true);
    expect(covers(granted, 'a.b.example.org')).toBe(true);
    expect(covers(granted, 'notexample.org')).toBe(false);
    expect(covers(granted, 'org')).toBe(false);
  });

  it('reserved names take names, suffixes, blocks and the hosts of our URLs', () => {
    const reserved = reservedSpace(
      ['Db.example.org', '.svc.internal', '10.0.0.0/8', '2001:DB8::7'],
      ['https://Front.example.org:8443/x', 'http://[2001:db8::9]:80'],
    );
    const names = ['db.example.org', 'a.svc.internal', '10.1.2.3', '2001:db8::7'];
    for (const name of [...names, 'front.example.org', '2001:db8::9']) {
      expect([name, covers(reserved, name)]).toEqual([name, true]);
    }
    expect(covers(reserved, 'example.org')).toBe(false);
    expect(() => reservedSpace(['no name!'], [])).toThrow(/no name!/);
  });
});
