import fc from 'fast-check';
import { rangeOf } from './range.js';

test('ranges of RFC 9110, 14.1.2', () => {
  const ask = (header: string) => rangeOf(header, 10_000);
  expect(ask('bytes=0-499')).toEqual({ start: 0, end: 499 });
  expect(ask('bytes=-500')).toEqual({ start: 9500, end: 9999 });
  expect(ask('bytes=9500-')).toEqual({ start: 9500, end: 9999 });
  expect(ask('bytes=9500-20000')).toEqual({ start: 9500, end: 9999 });
  expect(ask('bytes=-20000')).toEqual({ start: 0, end: 9999 });
  expect(ask('bytes=10000-')).toBe('none');
  expect(ask('bytes=-0')).toBe('none');
  for (const ignored of ['bytes=2-1', 'bytes=0-1,4-5', 'bytes=-', 'lines=1-2', 'bytes=a-b', '']) {
    expect(ask(ignored)).toBeUndefined();
  }
});

test('a range lies within the file, whatever the header', () => {
  const numbers = fc.option(fc.nat(), { nil: '' });
  fc.assert(
    fc.property(numbers, numbers, fc.nat(1000), (first, last, size) => {
      const range = rangeOf(`bytes=${first}-${last}`, size);
      if (range === undefined || range === 'none') return;
      expect(range.start).toBeGreaterThanOrEqual(0);
      expect(range.end).toBeGreaterThanOrEqual(range.start);
      expect(range.end).toBeLessThan(size);
    }),
  );
});
