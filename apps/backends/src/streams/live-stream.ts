import { dialects, type ClientMessage, type Dialect, type ServerMessage } from '@glacis/grpc';
import type { Clock } from '@glacis/runtime';
import type { StreamCall } from './stream-call.js';
import { dialectsByName, type AnyDialectName } from './stream-family.js';
import type { StreamFacts } from './stream.js';

/** Bytes of one stream that may wait to be recorded; above it we stop reading, and the client has to wait. */
const MAX_BACKLOG = 256 * 1024;
/** What a message costs beside its bytes. */
const PER_MESSAGE = 8 * 1024;

/** Longest delay that Node's timers know. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A stream that this replica holds. */
export class LiveStream {
  /** When its lease was last known to hold, as `performance.now()` tells it. */
  leaseHeldAt = performance.now();
  private messageAt: Date;
  private backlog = 0;
  private readonly whenRecorded: (() => void)[] = [];

  constructor(
    readonly facts: StreamFacts,
    readonly call: StreamCall,
    private choice: { dialect: AnyDialectName; ambiguous: boolean },
    private readonly clock: Clock,
  ) {
    this.messageAt = facts.openedAt;
  }

  /** When the client was last heard: a message, or an answer to a ping. */
  get lastHeard(): Date {
    const activeAt = this.call.connection.lastActiveAt;
    return activeAt > this.messageAt.getTime() ? new Date(activeAt) : this.messageAt;
  }

  get dialect(): Dialect {
    return dialectsByName[this.choice.dialect];
  }

  /** The client may speak `v0.3` as well as `v0.2`. */
  get ambiguous(): boolean {
    return this.choice.ambiguous;
  }

  decide(dialect: AnyDialectName): void {
    this.choice = { dialect, ambiguous: false };
  }

  heard(): void {
    this.messageAt = this.clock.now();
  }

  /** Calls back when the certificate that opened the stream ends, unless the stream is over before. */
  atCertificateEnd(run: () => void): void {
    const left = this.facts.notAfter.getTime() - this.clock.now().getTime();
    const timer = setTimeout(
      () => (left > MAX_TIMER_MS ? this.atCertificateEnd(run) : run()),
      Math.min(left, MAX_TIMER_MS),
    ).unref();
    void this.call.over.then(() => clearTimeout(timer));
  }

  /** A message of so many bytes waits to be recorded. */
  hold(bytes: number): void {
    const before = this.backlog;
    this.backlog += bytes + PER_MESSAGE;
    if (before < MAX_BACKLOG && this.backlog >= MAX_BACKLOG) this.call.pause();
  }

  /** It waits no longer. */
  release(bytes: number): void {
    const before = this.backlog;
    this.backlog -= bytes + PER_MESSAGE;
    if (before >= MAX_BACKLOG && this.backlog < MAX_BACKLOG) this.call.resume();
    if (this.backlog === 0) this.whenRecorded.splice(0).forEach((tell) => tell());
  }

  /** Resolves when no message waits. */
  recorded(): Promise<void> {
    if (this.backlog === 0) return Promise.resolve();
    return new Promise((resolve) => this.whenRecorded.push(resolve));
  }

  /** True of a message that its client has reason to send: a log forwarder tells, and answers nothing. */
  expects(kind: ClientMessage['kind']): boolean {
    return this.facts.connection === 'main' || kind === 'agentLog' || kind === 'agentEvent';
  }

  /** True when its client can be asked to end: a log forwarder cannot, nor an agent whose dialect has no word for it. */
  get canBeAskedToEnd(): boolean {
    const { sends } = this.dialect;
    return this.facts.connection === 'main' && (sends.has('disconnect') || sends.has('terminate'));
  }

  /**
   * Sends Terminate in the number of the dialect, for an ambiguous client in both, of which it obeys one (`backends.md`
   * 4.3); an agent is told to disconnect (9).
   */
  askToEnd(message: string): void {
    const able = this.dialect.sends;
    const id = this.facts.backendId;
    if (able.has('disconnect')) this.send(this.dialect, { kind: 'disconnect', value: { id } });
    if (able.has('terminate')) {
      const numberings = this.ambiguous ? [dialects['v0.2'], dialects['v0.3']] : [this.dialect];
      for (const one of numberings) this.send(one, { kind: 'terminate', value: { message } });
    }
  }

  private send(dialect: Dialect, message: ServerMessage): void {
    void this.call.write(dialect.encodeServer(message));
  }
}
