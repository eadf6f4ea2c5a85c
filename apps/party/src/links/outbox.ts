import type { Duplex } from 'node:stream';
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

  /** Resolves when the words are the caller's again, and the stream takes more. */
  async send(words: Int32Array): Promise<void> {
    const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
    await (bytes.length < COALESCE ? this.collect(bytes) : this.sendNow(bytes));
  }

  control(
    type: Exclude<FrameType, 'data'>,
    payload: Uint8Array = Buffer.alloc(0),
    flags = 0,
  ): void {
    void this.flush();
    this.stream.write(writeHeader({ type, length: payload.length, flags, op: 0 }));
    if (payload.length > 0) this.stream.write(payload);
  }

  /** Sends what still waits for company. */
  flush(): Promise<void> {
    this.flushing = false;
    if (this.bytes === 0) return Promise.resolve();
    const payload = Buffer.concat(this.pending);
    this.pending = [];
    this.bytes = 0;
    return this.frame(payload);
  }

  private collect(bytes: Buffer): Promise<void> {
    this.pending.push(Buffer.from(bytes));
    this.bytes += bytes.length;
    if (this.bytes >= COALESCE) return this.flush();
    if (!this.flushing) process.nextTick(() => void this.flush());
    this.flushing = true;
    return Promise.resolve();
  }

  private async sendNow(bytes: Buffer): Promise<void> {
    const sent = [this.flush()];
    for (let at = 0; at < bytes.length; at += MAX_PAYLOAD)
      sent.push(this.frame(bytes.subarray(at, at + MAX_PAYLOAD)));
    await Promise.all(sent);
  }

  /** Resolves when it is on its way, and when the stream ends before: whoever reads from it is told why. */
  private frame(payload: Buffer): Promise<void> {
    this.op += 1;
    this.sent += payload.length;
    return new Promise((done) => {
      const header = { type: 'data', length: payload.length, flags: 0, op: this.op } as const;
      this.stream.cork();
      this.stream.write(writeHeader(header));
      this.stream.write(payload, () => done());
      this.stream.uncork();
    });
  }
}
