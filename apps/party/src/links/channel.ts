import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { FrameError, FrameReader, type FrameType, type Piece } from './frame.js';
import { Inbox } from './inbox.js';
import { LinkError } from './link-error.js';
import { Outbox } from './outbox.js';

export interface ChannelTimes {
  /** Milliseconds without a byte until a ping goes out. */
  idleMs: number;
  /** Milliseconds without a byte until the peer counts as lost. */
  lostMs: number;
}

/** jobs.md 11.10 */
export const CHANNEL_TIMES: ChannelTimes = { idleMs: 30_000, lostMs: 60_000 };

/** What one side says that it sent and received. */
const tally = (sent: number, received: number): Buffer =>
  createHash('sha256').update(`glacis-link-1 ${sent} ${received}`).digest();

type Answered = Extract<FrameType, 'hello' | 'digest'>;

/** One link: frames over a connection that is trusted already, words in both directions, and its failure. */
export class Channel {
  private readonly reader = new FrameReader();
  private readonly inbox: Inbox;
  private readonly outbox: Outbox;
  private readonly told = new Map<Answered, Buffer>();
  private readonly wakes = new Map<Answered, (payload: Buffer) => void>();
  private parts: Buffer[] = [];
  private op = 0;
  private received = 0;
  private heard = performance.now();
  private readonly timer: NodeJS.Timeout;
  private failure: LinkError | undefined;
  private readonly waits = new Set<(error: LinkError) => void>();
  private ended = false;

  constructor(
    private readonly stream: Duplex,
    private readonly times: ChannelTimes = CHANNEL_TIMES,
  ) {
    this.outbox = new Outbox(stream);
    this.inbox = new Inbox({ pause: () => stream.pause(), resume: () => stream.resume() });
    stream.on('data', (chunk: Buffer) => this.take(chunk));
    stream.on('error', () => this.lost());
    stream.on('end', () => this.lost());
    stream.on('close', () => this.lost());
    this.timer = setInterval(() => this.watch(), times.idleMs / 2);
  }

  get bytesSent(): number {
    return this.outbox.sent;
  }

  send(words: Int32Array): Promise<void> {
    return this.whileUp(this.outbox.send(words));
  }

  receive(length: number): Promise<Int32Array> {
    return this.whileUp(this.inbox.take(length));
  }

  /** Says one thing and hears what the peer says of it. */
  async exchange(type: Answered, payload: Uint8Array): Promise<Buffer> {
    this.outbox.control(type, payload);
    const heard = new Promise<Buffer>((done) => {
      const told = this.told.get(type);
      if (told === undefined) this.wakes.set(type, done);
      else done(told);
    });
    return this.whileUp(heard);
  }

  /** What went over this link in each direction, for a last comparison: nobody goes on before both sides have all. */
  async settle(): Promise<void> {
    void this.outbox.flush();
    const theirs = await this.exchange('digest', tally(this.outbox.sent, this.received));
    if (!theirs.equals(tally(this.received, this.outbox.sent)))
      throw new LinkError('protocol', 'digest_mismatch', 'the sides of a link count differently');
  }

  /** Ends it; the peer is told unless all is said. */
  close(aborted: boolean): void {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.timer);
    if (aborted && this.stream.writable) this.outbox.control('abort');
    this.fail(new LinkError('transient', 'peer_lost', 'this link is closed'));
    this.stream.end();
    // A peer that reads nothing must not hold the connection.
    setTimeout(() => this.stream.destroy(), 1000).unref();
  }

  private take(chunk: Buffer): void {
    this.heard = performance.now();
    try {
      for (const piece of this.reader.read(chunk)) this.takePiece(piece);
    } catch (error) {
      if (error instanceof FrameError) this.broken(error.message);
      else if (error instanceof LinkError) this.fail(error);
      else throw error;
    }
  }

  private takePiece(piece: Piece): void {
    const { header, bytes, last } = piece;
    if (header.type === 'data') return this.takeData(piece);
    this.parts.push(bytes);
    if (!last) return;
    const payload = Buffer.concat(this.parts);
    this.parts = [];
    if (header.op !== 0) this.broken('a number on a frame without one');
    else if (header.type === 'abort')
      throw new LinkError('transient', 'peer_aborted', 'the peer has given up');
    else if (header.type === 'ping') this.pinged(header.flags);
    else this.hear(header.type, payload);
  }

  private takeData({ header, bytes, last }: Piece): void {
    if (header.op !== this.op + 1 || header.length === 0 || header.length % 4 !== 0)
      return this.broken('a data frame is not the one that is due');
    this.received += bytes.length;
    this.inbox.push(bytes);
    if (last) this.op += 1;
  }

  private hear(type: Answered, payload: Buffer): void {
    if (this.told.has(type)) return this.broken(`a second ${type}`);
    this.told.set(type, payload);
    this.wakes.get(type)?.(payload);
  }

  /** Flag 1 is the answer, which needs none. */
  private pinged(flags: number): void {
    if (flags === 0) this.outbox.control('ping', Buffer.alloc(0), 1);
  }

  private watch(): void {
    if (this.stream.isPaused()) this.heard = performance.now();
    const idle = performance.now() - this.heard;
    if (idle >= this.times.lostMs) this.lost();
    else if (idle >= this.times.idleMs) this.outbox.control('ping');
  }

  /** What is waited for, unless the link fails. A race with one promise of the failure would keep all that was ever received. */
  private whileUp<T>(wait: Promise<T>): Promise<T> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waits.add(reject);
      void wait.then(resolve, reject).finally(() => this.waits.delete(reject));
    });
  }

  /** The first failure is what all that wait are told. */
  private fail(error: LinkError): void {
    this.failure ??= error;
    for (const reject of this.waits) reject(this.failure);
  }

  private broken(message: string): void {
    this.fail(new LinkError('protocol', 'protocol_desync', message));
  }

  private lost(): void {
    this.fail(new LinkError('transient', 'peer_lost', 'the link to a peer is lost'));
  }
}
