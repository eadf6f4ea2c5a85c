import { KeyError, seal, unseal, x25519KeyPair, type ByteSource } from '@glacis/shares';
import fc from 'fast-check';
import { sealStream } from './seal-stream.js';
import { plainLength, sealedLength } from './sealed-length.js';

const pair = await x25519KeyPair();

async function all(source: ByteSource): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

const lengths = fc.oneof(
  fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 131_072, 200_000),
  fc.nat(3000),
);

describe('sealing by Node', () => {
  test('jobs.md 6.3: any bytes in any pieces are in the form that the share library writes and opens', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 100_000 }), async (length, piece) => {
        const plain = Buffer.from(Array.from({ length }, (_, i) => (i * 31) % 251));
        const pieces = Array.from({ length: Math.ceil(length / piece) }, (_, i) =>
          plain.subarray(i * piece, (i + 1) * piece),
        );
        const sealed = await all(sealStream(pair.publicKey, pieces));
        expect(await all(unseal(pair.privateKey)([sealed]))).toEqual(plain);
        expect(sealed).toHaveLength((await all(seal(pair.publicKey)(pieces))).length);
        expect(sealed).toHaveLength(sealedLength(length));
        expect(plainLength(sealed.length)).toBe(length);
      }),
      { numRuns: 30 },
    );
  });

  test('no two objects share a key', async () => {
    const [one, two] = [
      await all(sealStream(pair.publicKey, [])),
      await all(sealStream(pair.publicKey, [])),
    ];
    expect(one.subarray(0, 6)).toEqual(two.subarray(0, 6));
    expect(one.subarray(6)).not.toEqual(two.subarray(6));
  });

  test('a key that is none is told', async () => {
    for (const key of ['', 'x', 'A'.repeat(43), '*'.repeat(43)])
      await expect(all(sealStream(key, []))).rejects.toThrow(KeyError);
  });
});
