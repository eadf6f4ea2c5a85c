import fc from 'fast-check';
import {
  FrameError,
  FrameReader,
  frameTypes,
  HEADER_BYTES,
  MAX_PAYLOAD,
  readHeader,
  writeHeader,
  type FrameHeader,
} from './frame.js';

const frame = fc.record({
  type: fc.constantFrom(...frameTypes),
  flags: fc.nat(255),
  op: fc.nat(0xffff_ffff),
  payload: fc.uint8Array({ maxLength: 300 }),
});

/** Cuts bytes at positions, as a network does. */
function* cut(bytes: Buffer, sizes: number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) yield bytes.subarray(at, (at += size));
  yield bytes.subarray(at);
}

/** Whole frames of a byte stream. */
function read(chunks: Iterable<Buffer>): { header: FrameHeader; payload: string }[] {
  const reader = new FrameReader();
  const frames = [];
  let parts: Buffer[] = [];
  for (const chunk of chunks)
    for (const { header, bytes, last } of reader.read(chunk)) {
      parts.push(bytes);
      if (!last) continue;
      frames.push({ header, payload: Buffer.concat(parts).toString('hex') });
      parts = [];
    }
  return frames;
}

test('jobs.md 11.10: frames come out as they went in, whatever chunks they come in', () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.nat(40)), (frames, sizes) => {
      const sent = frames.map(({ payload, ...rest }) => ({
        header: { ...rest, length: payload.length },
        payload: Buffer.from(payload),
      }));
      const bytes = sent.flatMap(({ header, payload }) => [writeHeader(header), payload]);
      const expected = sent.map(({ header, payload }) => ({
        header,
        payload: payload.toString('hex'),
      }));
      expect(read(cut(Buffer.concat(bytes), sizes))).toEqual(expected);
    }),
  );
});

test('jobs.md 11.10: any twelve bytes are a header that is written the same, or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: HEADER_BYTES, maxLength: HEADER_BYTES }), (bytes) => {
      const header = Buffer.from(bytes);
      // Random lengths and types would nearly all be refused.
      header[3] = 0;
      header[4]! %= 8;
      header.fill(0, 6, 7);
      try {
        expect(writeHeader(readHeader(header))).toEqual(header);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
  );
  const head = { type: 'data', flags: 0, op: 1 } as const;
  expect(() => readHeader(writeHeader({ ...head, length: MAX_PAYLOAD + 1 }))).toThrow(FrameError);
});
