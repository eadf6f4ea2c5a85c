import * as fc from 'fast-check';
import { AcceptLimit } from './accept-limit.js';

describe('AcceptLimit', () => {
  it('never lets more than count through in any window, and never refuses without cause', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 100 }),
        (count, gaps) => {
          let now = 0;
          const limit = new AcceptLimit({ count, windowMs: 100 }, () => now);
          const accepted: number[] = [];
          for (const gap of gaps) {
            now += gap;
            const recent = accepted.filter((at) => now - at < 100).length;
            const passed = limit.accept('a');
            expect(passed).toBe(recent < count);
            if (passed) accepted.push(now);
          }
        },
      ),
    );
  });

  it('keeps keys apart and forgets the one unused for longest', () => {
    const limit = new AcceptLimit({ count: 1, windowMs: 100, maxKeys: 2 }, () => 0);
    expect([limit.accept('a'), limit.accept('b'), limit.accept('a')]).toEqual([true, true, false]);
    limit.accept('c');
    expect([limit.accept('a'), limit.accept('b')]).toEqual([false, true]);
  });
});
