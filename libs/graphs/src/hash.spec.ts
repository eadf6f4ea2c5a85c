import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { hashOf } from './hash.js';

// Made with another implementation: Python's json.dumps(graph, sort_keys=True) and hashlib.md5.
const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../test/hash-vectors.json'), 'utf8'),
) as { graph: unknown; hash: string }[];

describe('graph-apps.md 6.6: the hash of a graph', () => {
  test.each(vectors)('$hash', ({ graph, hash }) => {
    expect(hashOf(graph)).toBe(hash);
  });

  test('numbers are told as ECMAScript prints them', () => {
    expect(hashOf(JSON.parse('[1.0, 1e2, -0, 1e21]'))).toBe(hashOf([1, 100, 0, 1e21]));
  });

  test('the order of keys does not count', () => {
    const reversed = (_: string, value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toReversed())
        : value;
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(hashOf(JSON.parse(text, reversed))).toBe(hashOf(JSON.parse(text)));
      }),
    );
  });
});
