import { once } from 'node:events';
import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { PeerConnection } from '@glacis/grpc';
import type { StreamFamily } from './stream-family.js';

export type ServerCall = ServerDuplexStream<Buffer, Buffer>;

const FLUSH_MS = 100;

/** One open `Process` call and the connection below it: all that the rest of the service sees of gRPC. */
export class StreamCall {
  /** Resolves when the client has ended the call or it broke. */
  readonly over: Promise<void>;
  private isOver = false;

  constructor(
    private readonly call: ServerCall,
    readonly connection: PeerConnection,
    /** Of the port that was dialled. */
    readonly family: StreamFamily,
  ) {
    this.over = new Promise((resolve) => {
      const end = (): void => {
        this.isOver = true;
        resolve();
      };
      call.once('end', end);
      call.once('cancelled', end);
      call.once('close', end);
    });
  }

  get ended(): boolean {
    return this.isOver;
  }

  /** A metadata value that the client sent, when it is text of a sane length. */
  metadata(name: string): string | undefined {
    const [value] = this.call.metadata.get(name);
    return typeof value === 'string' && value.length <= 256 ? value : undefined;
  }

  /** Refuses the call: trailers only, no message is read or sent. */
  refuse(code: status, details: string): void {
    this.call.emit('error', { code, details });
  }

  sendHeaders(): void {
    this.call.sendMetadata(new Metadata());
  }

  /** Begins to read: messages come one at a time, none while paused. */
  onMessage(listener: (bytes: Buffer) => void): void {
    this.call.on('data', listener);
  }

  pause(): void {
    this.call.pause();
  }

  resume(): void {
    this.call.resume();
  }

  /** Resolves when the message has gone to the transport, which is the flow control; also when the call is over. */
  async write(bytes: Buffer): Promise<void> {
    if (this.isOver || this.call.writableEnded) return;
    const sent = new Promise<void>((resolve) => this.call.write(bytes, () => resolve()));
    await Promise.race([sent, this.over]);
  }

  /** Ends the call with this status and waits until it is on its way, 100 ms at most. */
  async end(code: status, details: string): Promise<void> {
    if (this.call.destroyed || this.call.writableEnded) return;
    const flushed = once(this.call, 'close', { signal: AbortSignal.timeout(FLUSH_MS) });
    if (code === status.OK) this.call.end();
    else this.call.emit('error', { code, details });
    await flushed.catch(() => undefined);
  }
}
