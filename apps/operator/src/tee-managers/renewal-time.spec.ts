import * as fc from 'fast-check';
import { renewalTime } from './renewal-time.js';

const issued = Date.parse('2026-11-21T10:00:00Z');
const hour = 3_600_000;
const lifetime = (ms: number, serial = '1'): Parameters<typeof renewalTime>[1] => ({
  serial,
  notBefore: new Date(issued - 60_000),
  notAfter: new Date(issued + ms),
});
const wanted = (ttl: string, renewBefore?: string): Parameters<typeof renewalTime>[0] => ({
  ttl,
  renewBefore,
  keyAlgorithm: 'ECDSA-P256',
});

describe('renewalTime', () => {
  it('backends.md 15.5: renewBefore ahead of the end, at most 5 % of it earlier', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 128n }), (serial) => {
        const end = issued + 2160 * hour;
        const at = renewalTime(wanted('2160h', '720h'), lifetime(2160 * hour, `${serial}`));
        const before = end - at.getTime();
        expect(before).toBeGreaterThanOrEqual(720 * hour);
        expect(before).toBeLessThanOrEqual(720 * hour * 1.05);
      }),
    );
  });

  it('backends.md 15: without renewBefore a third of ttl', () => {
    const at = renewalTime(wanted('3h'), lifetime(3 * hour));
    expect(issued + 3 * hour - at.getTime()).toBeGreaterThanOrEqual(hour);
    expect(issued + 3 * hour - at.getTime()).toBeLessThanOrEqual(hour * 1.05);
  });

  it('is the same each time it is asked, and another for another serial', () => {
    const at = (serial: string): number =>
      renewalTime(wanted('2160h'), lifetime(2160 * hour, serial)).getTime();
    expect(at('7')).toBe(at('7'));
    expect(at('7')).not.toBe(at('8'));
  });

  it('never lies before the issue, however short a life the CA has given: no renewal brings another at once', () => {
    const seconds = fc.integer({ min: 60, max: 10_000_000 });
    fc.assert(
      fc.property(
        seconds,
        seconds,
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (...given) => {
          const [ttl, life, share] = given;
          const spec = wanted(`${ttl}s`, `${Math.max(1, Math.floor(ttl * share))}s`);
          const at = renewalTime(spec, lifetime(Math.min(life, ttl) * 1000));
          expect(at.getTime()).toBeGreaterThan(issued);
          expect(at.getTime()).toBeLessThan(issued + Math.min(life, ttl) * 1000);
        },
      ),
    );
  });
});
