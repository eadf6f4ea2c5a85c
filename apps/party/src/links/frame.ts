/** What travels on a link (jobs.md 11.10). */
export const frameTypes = ['hello', 'data', 'digest', 'abort', 'ping'] as const;
export type FrameType = (typeof frameTypes)[number];

export const HEADER_BYTES = 12;
/** Largest payload of a frame; a longer message is split. */
export const MAX_PAYLOAD = 4 << 20;

export interface FrameHeader {
  type: FrameType;
  /** Bytes of payload. */
  length: number;
  flags: number;
  /** Number of this data frame in its direction, from 1; 0 for the other types. */
  op: number;
}

/** Bytes that no frame begins with, or a frame that is not due. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** `u32 length, u8 type, u8 flags, u16 zero, u32 op`, little endian; types count from 1 in the order of `frameTypes`. */
export function writeHeader({ type, length, flags, op }: FrameHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(length, 0);
  header.writeUInt8(frameTypes.indexOf(type) + 1, 4);
  header.writeUInt8(flags, 5);
  header.writeUInt32LE(op, 8);
  return header;
}

/** @throws {FrameError} when this is no header */
export function readHeader(bytes: Buffer): FrameHeader {
  const length = bytes.readUInt32LE(0);
  const type = frameTypes[bytes.readUInt8(4) - 1];
  if (type === undefined) throw new FrameError('unknown type of frame');
  if (length > MAX_PAYLOAD) throw new FrameError('frame is too long');
  if (bytes.readUInt16LE(6) !== 0) throw new FrameError('reserved bytes of a frame are not zero');
  return { type, length, flags: bytes.readUInt8(5), op: bytes.readUInt32LE(8) };
}

/** Some payload of a frame, in order; `last` with the piece that completes it. */
export interface Piece {
  header: FrameHeader;
  bytes: Buffer;
  last: boolean;
}

/** Takes a byte stream apart into frames, whatever chunks it comes in, without copying payloads. */
export class FrameReader {
  private readonly head = Buffer.alloc(HEADER_BYTES);
  private filled = 0;
  private header: FrameHeader | undefined;
  private left = 0;

  /**
   * The pieces that a chunk brings; they are views of it.
   * @throws {FrameError} at the first byte that cannot be
   */
  *read(chunk: Buffer): Generator<Piece> {
    let at = 0;
    while (at < chunk.length) {
      if (this.header === undefined) at = this.takeHead(chunk, at);
      if (this.header === undefined) return;
      const header: FrameHeader = this.header;
      const bytes = chunk.subarray(at, at + this.left);
      at += bytes.length;
      this.left -= bytes.length;
      const last = this.left === 0;
      if (last) this.header = undefined;
      if (last || bytes.length > 0) yield { header, bytes, last };
    }
  }

  private takeHead(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.head, this.filled, at);
    this.filled += taken;
    if (this.filled === HEADER_BYTES) {
      this.header = readHeader(this.head);
      this.left = this.header.length;
      this.filled = 0;
    }
    return at + taken;
  }
}
