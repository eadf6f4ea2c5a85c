import { maxRunBytes, type ClientMessage, type ComputationRun } from '@glacis/grpc';
import type { LiveStream } from '../streams/live-stream.js';

/** After so long a run counts as started, whatever its manager says: managers themselves give up after 15 minutes. */
const STARTING_MS = 20 * 60_000;

/** Bytes of the runs that one stream may hold: the longest run, and one more that waits. */
const MAX_BYTES = 2 * maxRunBytes;

/** What forbids a run on a stream as it is. */
export type RunRefusal = 'dialect-ambiguous' | 'one-run-per-stream' | 'queue-full';

/** A run that was accepted. */
export interface QueuedRun {
  /** Of its record. */
  id: string;
  run: ComputationRun;
  /** Encoded. */
  bytes: number;
}

export interface RunQueueOptions {
  maxWaiting: number;
  /** Notes that a run is about to be sent; false: it is not to be sent. */
  markSent: (id: string) => Promise<boolean>;
}

/**
 * The runs of one stream, sent one after the other. Managers before `v0.4` start one at a time and read nothing
 * meanwhile, so further runs wait for the answer; those of `v0.3` never clear their buffer and get one run per stream.
 */
export class RunQueue {
  private readonly waiting: QueuedRun[] = [];
  /** The run on its way through the flow control of the stream. */
  private current: QueuedRun | undefined;
  private starting: { id: string; timer: NodeJS.Timeout } | undefined;
  private sending: Promise<void> = Promise.resolve();
  /** Runs that this stream was given, those included that are still being recorded. */
  private taken = 0;
  private recording = 0;
  /** Bytes of all runs that are not sent yet. */
  private bytes = 0;

  constructor(
    private readonly stream: LiveStream,
    private readonly options: RunQueueOptions,
  ) {}

  get length(): number {
    return this.waiting.length;
  }

  /** Keeps a place for a run while it is recorded; the caller fills it with `add` or gives it back with `release`. */
  reserve(bytes: number): RunRefusal | undefined {
    if (this.stream.ambiguous) return 'dialect-ambiguous';
    if (this.stream.dialect.takesRuns === 'once' && this.taken > 0) return 'one-run-per-stream';
    const waiting = this.waiting.length + this.recording;
    if (waiting >= this.options.maxWaiting || this.bytes + bytes > MAX_BYTES) return 'queue-full';
    this.taken += 1;
    this.recording += 1;
    this.bytes += bytes;
    return undefined;
  }

  release(bytes: number): void {
    this.taken -= 1;
    this.recording -= 1;
    this.bytes -= bytes;
  }

  /** Sends the run, or queues it; gives its place in the queue, 0 when it goes at once. */
  add(queued: QueuedRun): number {
    this.recording -= 1;
    this.waiting.push(queued);
    this.next();
    return this.waiting.length;
  }

  /** Takes a run out of the queue; undefined when it does not wait. */
  cancel(computationId: string): QueuedRun | undefined {
    const at = this.waiting.findIndex(({ run }) => run.id === computationId);
    if (at < 0) return undefined;
    const [queued] = this.waiting.splice(at, 1);
    this.bytes -= queued?.bytes ?? 0;
    return queued;
  }

  /** Has a run wait again that was taken out, as the first. */
  putBack(queued: QueuedRun): void {
    this.waiting.unshift(queued);
    this.bytes += queued.bytes;
    this.next();
  }

  /** True while the run is being sent. */
  isSending(computationId: string): boolean {
    return this.current?.run.id === computationId;
  }

  /** Hears what the manager says of runs: an answer or a failure lets the next one go. */
  heard(message: ClientMessage): void {
    if (this.starting !== undefined && settledBy(message) === this.starting.id) this.settle();
  }

  /** Sends a stop; it does not overtake the pieces of a run. */
  stop(computationId: string): void {
    const bytes = this.stream.dialect.encodeServer({ kind: 'stop', value: { computationId } });
    this.sending = this.sending.then(() => this.stream.call.write(bytes));
  }

  /** The stream is over: nothing waits any more. Whoever records its end tells of the runs that were not sent. */
  close(): void {
    clearTimeout(this.starting?.timer);
    this.waiting.length = 0;
  }

  private next(): void {
    if (this.current !== undefined || this.starting !== undefined) return;
    const queued = this.waiting.shift();
    if (queued === undefined) return;
    this.current = queued;
    if (this.stream.dialect.takesRuns !== 'together') {
      const timer = setTimeout(() => this.settle(), STARTING_MS).unref();
      this.starting = { id: queued.run.id, timer };
    }
    this.sending = this.sending.then(() => this.send(queued));
  }

  private settle(): void {
    clearTimeout(this.starting?.timer);
    this.starting = undefined;
    this.next();
  }

  /** Pieces go back to back, at the speed at which the manager reads. */
  private async send({ id, run, bytes }: QueuedRun): Promise<void> {
    const { call, dialect } = this.stream;
    const sent = !call.ended && (await this.options.markSent(id));
    if (sent) for (const piece of dialect.encodeRun(run)) await call.write(piece);
    this.current = undefined;
    this.bytes -= bytes;
    // Of a run that was not sent nobody will tell how its start went.
    if (sent) this.next();
    else this.settle();
  }
}

/** The id of the run whose start this message ends; event names are matched as in `backends.md` 4.9. */
function settledBy(message: ClientMessage): string | undefined {
  if (message.kind === 'runResponse') return message.value.computationId;
  if (message.kind !== 'agentEvent') return undefined;
  const { eventType, status, computationId } = message.value;
  const failed = normal(eventType) === 'vmprovision' && normal(status) === 'failed';
  return failed ? computationId : undefined;
}

function normal(text: string): string {
  return text.replaceAll('-', '').toLowerCase();
}
