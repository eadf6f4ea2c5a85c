import { ComputationRunReq } from '../generated/backends/v1/run.js';
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
export function runToChunks(id: string, bytes: Buffer): RunReqChunks[] {
  const pieces: RunReqChunks[] = [];
  for (let at = 0; at < bytes.length; at += runPieceBytes) {
    pieces.push({ data: bytes.subarray(at, at + runPieceBytes), id, isLast: false });
  }
  return [...pieces, { data: Buffer.alloc(0), id, isLast: true }];
}

/** Decodes a run in the form that the suite keeps, of which that of `v0.3` is a part. @throws {UndecodableMessageError} */
export function decodeRun(bytes: Uint8Array): ComputationRun {
  const { algorithm, ...run } = fromBytes(ComputationRunReq, bytes);
  if (algorithm === undefined || algorithm.algoArgs.length > 0) return { ...run, algorithm };
  return { ...run, algorithm: { ...algorithm, algoArgs: undefined } };
}

/** Encodes a run in that form. */
export function encodeRun({ algorithm, ...run }: ComputationRun): Buffer {
  return toBytes(ComputationRunReq, {
    ...run,
    algorithm: algorithm && { ...algorithm, algoArgs: algorithm.algoArgs ?? [] },
  });
}

interface Partial {
  pieces: Buffer[];
  bytes: number;
  lastAt: number;
}

/** Puts the pieces of runs together again, as managers from `v0.3` on and agents do. Not for use by several streams. */
export class RunAssembler {
  private readonly partials = new Map<string, Partial>();

  constructor(
    private readonly now: () => number = () => Date.now(),
    private readonly decode: (bytes: Uint8Array) => ComputationRun = decodeRun,
  ) {}

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
    return ended ? this.decode(Buffer.concat(partial.pieces)) : undefined;
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
