import fc from 'fast-check';
import { KeyError, seal, SealError, unseal, x25519KeyPair, type ByteSource } from '../index.js';

const pair = await x25519KeyPair();

async function all(source: ByteSource): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

const sealed = (bytes: Uint8Array): Promise<Buffer> => all(seal(pair.publicKey)([bytes]));
const opened = (bytes: Uint8Array): Promise<Buffer> => all(unseal(pair.privateKey)([bytes]));

/** Cuts a buffer at positions, as a network does. */
function pieces(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('sealed objects', () => {
  test('jobs.md 6.3: any bytes in any chunks come back', async () => {
    const lengths = fc.oneof(
      fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 131_072, 200_000),
      fc.nat(3000),
    );
    await fc.assert(
      fc.asyncProperty(lengths, fc.array(fc.nat(), { maxLength: 8 }), async (length, cuts) => {
        const plain = crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)));
        const whole = Buffer.concat(Array.from({ length: 4 }, () => plain)).subarray(0, length);
        const closed = await all(seal(pair.publicKey)(pieces(whole, cuts)));
        expect(await all(unseal(pair.privateKey)(pieces(closed, cuts)))).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  test('jobs.md 6.3: GSEAL1, ephemeral key, frames of u32 length and ciphertext with tag', async () => {
    const closed = await sealed(Buffer.alloc(65_537));
    expect(closed.subarray(0, 6).toString()).toBe('GSEAL1');
    expect(closed.readUInt32LE(38)).toBe(65_536 + 16);
    expect(closed.readUInt32LE(38 + 4 + 65_552)).toBe(1 + 16);
    expect(closed).toHaveLength(38 + 4 + 65_552 + 4 + 17);
    expect(await sealed(Buffer.alloc(0))).toHaveLength(38 + 4 + 16);
  });

  test('jobs.md 6.3: truncation, reorder, trailing data and any changed bit are errors', async () => {
    const closed = await sealed(Buffer.alloc(3 * 65_536));
    const frame = 4 + 65_552;
    const frames = [0, 1, 2].map((i) => closed.subarray(38 + i * frame, 38 + (i + 1) * frame));
    const head = closed.subarray(0, 38);
    const broken = [
      closed.subarray(0, 38 + frame),
      closed.subarray(0, 38 + 2 * frame),
      closed.subarray(0, closed.length - 1),
      closed.subarray(0, 38),
      closed.subarray(0, 20),
      Buffer.concat([closed, Buffer.of(0)]),
      Buffer.concat([closed, frames[2]!]),
      Buffer.concat([head, frames[1]!, frames[0]!, frames[2]!]),
      Buffer.concat([head, frames[0]!, frames[2]!]),
      Buffer.from('x'),
    ];
    for (const bytes of broken) await expect(opened(bytes)).rejects.toThrow(SealError);
    const small = await sealed(Buffer.from('a cell'));
    for (let byte = 0; byte < small.length; byte += 1) {
      const changed = Buffer.from(small);
      changed[byte]! ^= 1;
      await expect(opened(changed)).rejects.toThrow(/./);
    }
  });

  test('another key does not open it, and a malformed key is told', async () => {
    const other = await x25519KeyPair();
    const closed = await sealed(Buffer.from('a cell'));
    await expect(all(unseal(other.privateKey)([closed]))).rejects.toThrow(SealError);
    const zero = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    for (const key of ['', 'x', zero])
      await expect(all(seal(key)([closed]))).rejects.toThrow(KeyError);
  });
});
