import fc from 'fast-check';
import { partitionOf } from './kafka-client.js';
import { portions } from './publisher.js';

test.each([
  // Values of murmur2 in the tests of Kafka's Java client, without their sign bit.
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
])('the key %s goes where the clients of Kafka itself put it', (key, hash) => {
  for (const count of [1, 2, 6, 12, 97]) {
    expect(partitionOf(key, count)).toBe((hash & 0x7fffffff) % count);
  }
});

test('a batch is cut into parts within their bound, complete and in order', () => {
  const records = fc.array(
    fc.nat(3_000).map((size) => ({ key: 'k', value: 'x'.repeat(size), headers: {} })),
  );
  fc.assert(
    fc.property(records, (all) => {
      const parts = portions(all, 4_000);
      expect(parts.flat()).toEqual(all);
      for (const part of parts) {
        const bytes = part.reduce((sum, { value }) => sum + value.length + 257, 0);
        expect(bytes <= 4_000 || part.length === 1).toBe(true);
      }
    }),
  );
});
