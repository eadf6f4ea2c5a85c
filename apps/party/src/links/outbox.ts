import type { Duplex } from 'node:stream';
import { once } from 'node:events';
import { MAX_PAYLOAD, writeHeader, type FrameType } from './frame.js';

/** Smaller messages wait for one another within a turn of the event loop (jobs.md 11.9). */
const COALESCE = 64 << 10;

/** Writes frames; small messages of one round share a frame, large ones are split. */
export class Outbox {
  private pending: Buffer[] = [];
  private bytes = 0;
  private op = 0;
  private flushing = false;
  /** Bytes of data frames so far, headers included. */
  sent = 0;

  constructor(private readonly stream: Duplex) {}

  /** Resolves when the words are taken over and the stream takes more. */
  async send(words: Int32Array): Promise<void> {
    const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
    if (bytes.length < COALESCE) this.collect(bytes);
    else this.sendNow(bytes);
    if (this.stream.writableNeedDrain) await drained(this.stream);
  }

  control(
    type: Exclude<FrameType, 'data'>,
    payload: Uint8Array = Buffer.alloc(0),
    flags = 0,
  ): void {
    this.flush();
    this.stream.write(writeHeader({ type, length: payload.length, flags, op: 0 }));
    if (payload.length > 0) this.stream.write(payload);
  }

  /** Sends what still waits for company. */
  flush(): void {
    this.flushing = false;
    if (this.bytes === 0) return;
    const payload = Buffer.concat(this.pending);
    this.pending = [];
    this.bytes = 0;
    this.frame(payload);
  }

  private collect(bytes: Buffer): void {
    this.pending.push(Buffer.from(bytes));
    this.bytes += bytes.length;
    if (this.bytes >= COALESCE) this.flush();
    else if (!this.flushing) {
      this.flushing = true;
      process.nextTick(() => this.flush());
    }
  }

  private sendNow(bytes: Buffer): void {
    this.flush();
    for (let at = 0; at < bytes.length; at += MAX_PAYLOAD) {
      // The stream keeps what it cannot write at once, and the words are the caller's again.
      this.frame(Buffer.from(bytes.subarray(at, at + MAX_PAYLOAD)));
    }
  }

  private frame(payload: Buffer): void {
    this.op += 1;
    this.stream.cork();
    this.stream.write(writeHeader({ type: 'data', length: payload.length, flags: 0, op: this.op }));
    this.stream.write(payload);
    this.stream.uncork();
    this.sent += payload.length;
  }
}

/** Also ends when the stream does: whoever reads from it is told why. */
async function drained(stream: Duplex): Promise<void> {
  const end = new AbortController();
  const options = { signal: end.signal };
  try {
    await Promise.race([once(stream, 'drain', options), once(stream, 'close', options)]);
  } finally {
    end.abort();
  }
}
