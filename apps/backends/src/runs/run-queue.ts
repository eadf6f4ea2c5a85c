import type { ClientMessage, ComputationRun } from '@glacis/grpc';
import type { LiveStream } from '../streams/live-stream.js';

/** After so long a run counts as started, whatever its manager says: managers themselves give up after 15 minutes. */
const STARTING_MS = 20 * 60_000;

/** What forbids a run on a stream as it is. */
export type RunRefusal = 'dialect-ambiguous' | 'one-run-per-stream' | 'queue-full';

/**
 * The runs of one stream. Managers before `v0.4` start one at a time and read nothing meanwhile, so further runs wait
 * for the answer; those of `v0.3` never clear their buffer and get one run per stream.
 */
export class RunQueue {
  private readonly waiting: ComputationRun[] = [];
  private starting: { id: string; timer: NodeJS.Timeout } | undefined;
  private sending: Promise<void> = Promise.resolve();
  /** Runs that this stream was given, those included that are still being recorded. */
  private taken = 0;
  private recording = 0;
  /** Runs on their way through the flow control of the stream. */
  private unsent = 0;

  constructor(
    private readonly stream: LiveStream,
    private readonly maxWaiting: number,
  ) {}

  get length(): number {
    return this.waiting.length;
  }

  /** Keeps a place for a run while it is recorded; the caller fills it with `add` or gives it back with `release`. */
  reserve(): RunRefusal | undefined {
    if (this.stream.ambiguous) return 'dialect-ambiguous';
    if (this.stream.dialect.name === 'v0.3' && this.taken > 0) return 'one-run-per-stream';
    const waiting = this.waiting.length + this.recording;
    if (waiting >= this.maxWaiting || this.unsent > this.maxWaiting) return 'queue-full';
    this.taken += 1;
    this.recording += 1;
    return undefined;
  }

  release(): void {
    this.taken -= 1;
    this.recording -= 1;
  }

  /** Sends the run, or queues it; gives its place in the queue, 0 when it goes at once. */
  add(run: ComputationRun): number {
    this.recording -= 1;
    if (this.stream.dialect.name === 'v0.4') {
      this.send(run);
      return 0;
    }
    this.waiting.push(run);
    this.next();
    return this.waiting.length;
  }

  /** Takes a run out of the queue; false when it does not wait. */
  cancel(id: string): boolean {
    const at = this.waiting.findIndex((run) => run.id === id);
    if (at < 0) return false;
    this.waiting.splice(at, 1);
    return true;
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

  /** The stream is over: nothing waits any more. */
  close(): void {
    clearTimeout(this.starting?.timer);
    this.waiting.length = 0;
  }

  private next(): void {
    if (this.starting !== undefined) return;
    const run = this.waiting.shift();
    if (run === undefined) return;
    const timer = setTimeout(() => this.settle(), STARTING_MS).unref();
    this.starting = { id: run.id, timer };
    this.send(run);
  }

  private settle(): void {
    clearTimeout(this.starting?.timer);
    this.starting = undefined;
    this.next();
  }

  /** Pieces go back to back, at the speed at which the manager reads. */
  private send(run: ComputationRun): void {
    this.unsent += 1;
    this.sending = this.sending.then(async () => {
      for (const bytes of this.stream.dialect.encodeRun(run)) await this.stream.call.write(bytes);
      this.unsent -= 1;
    });
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
