import { ComputationRunReq } from '../generated/manager/v0.4/manager.js';
import { UndecodableMessageError, type ComputationRun, type RunReqChunks } from './messages.js';
import { fromBytes, toBytes } from './wire.js';

/** Largest piece of a chunked run in bytes (`backends.md` 4.8). */
export const runPieceBytes = 1024 * 1024;
/** Largest run, in encoded bytes; exclusive. */
export const maxRunBytes = 32 * 1024 * 1024;
/** A half-received run is dropped after so long without a piece. */
const pieceTimeoutMs = 30_000;

/**
 * A run in pieces of at most 1 MiB, then one with empty data and `is_last`: older builds end on the empty data, newer
 * ones on the flag.
 */
export function runToChunks(run: ComputationRun): RunReqChunks[] {
  const bytes = toBytes(ComputationRunReq, run);
  const pieces: RunReqChunks[] = [];
  for (let at = 0; at < bytes.length; at += runPieceBytes) {
    pieces.push({ data: bytes.subarray(at, at + runPieceBytes), id: run.id, isLast: false });
  }
  return [...pieces, { data: Buffer.alloc(0), id: run.id, isLast: true }];
}

/** Decodes a run in the form of `v0.3`. @throws {UndecodableMessageError} */
export function decodeRun(bytes: Uint8Array): ComputationRun {
  return fromBytes(ComputationRunReq, bytes);
}

/** Encodes a run in the form of `v0.3`. */
export function encodeRun(run: ComputationRun): Buffer {
  return toBytes(ComputationRunReq, run);
}

interface Partial {
  pieces: Buffer[];
  bytes: number;
  lastAt: number;
}

/** Puts the pieces of runs together again, as a manager of `v0.3` or `v0.4` does. Not for use by several streams. */
export class RunAssembler {
  private readonly partials = new Map<string, Partial>();

  constructor(private readonly now: () => number = () => Date.now()) {}

  /**
   * Takes a piece; gives the run when it was the last.
   * @throws {UndecodableMessageError} when the whole is no run request or above 32 MiB; its pieces are forgotten.
   */
  add(piece: RunReqChunks): ComputationRun | undefined {
    this.forgetStale();
    const partial = this.partials.get(piece.id) ?? { pieces: [], bytes: 0, lastAt: 0 };
    const ended = piece.isLast || piece.data.length === 0;
    partial.pieces.push(piece.data);
    partial.bytes += piece.data.length;
    partial.lastAt = this.now();
    const tooLarge = this.bytesHeld(piece.id) + partial.bytes >= maxRunBytes;
    if (ended || tooLarge) this.partials.delete(piece.id);
    else this.partials.set(piece.id, partial);
    if (tooLarge) throw new UndecodableMessageError();
    return ended ? decodeRun(Buffer.concat(partial.pieces)) : undefined;
  }

  private bytesHeld(exceptId: string): number {
    let held = 0;
    for (const [id, partial] of this.partials) if (id !== exceptId) held += partial.bytes;
    return held;
  }

  private forgetStale(): void {
    const oldest = this.now() - pieceTimeoutMs;
    for (const [id, partial] of this.partials) {
      if (partial.lastAt < oldest) this.partials.delete(id);
    }
  }
}
