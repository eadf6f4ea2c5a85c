import {
  status,
  type ClientMessage,
  type ManagerClient,
  type ManagerStream,
  type ServerMessage,
} from '@glacis/grpc';
import type { StreamEnd } from './after-end.js';

/** A server that sends its headers only with its first message counts as open after so long. */
const silentServerMs = 1_000;
/** The same for a stream that is to replace one: ours may take its time to admit it, and nothing is lost by waiting. */
export const silentReplacementMs = 60_000;

/** One stream from the dial to its end. */
export class Session {
  /** False when it ended without having been open. */
  readonly opened: Promise<boolean>;
  readonly ended: Promise<StreamEnd>;
  private readonly stream: ManagerStream;
  private openedAt: number | undefined;
  private isOver = false;
  private open: (open: boolean) => void;
  private finish: (end: StreamEnd) => void;

  constructor(
    private readonly client: ManagerClient,
    private readonly onOrder: (order: Exclude<ServerMessage, { kind: 'terminate' }>) => void,
    silentMs: number = silentServerMs,
  ) {
    this.opened = new Promise((resolve) => (this.open = resolve));
    this.ended = new Promise((resolve) => (this.finish = resolve));
    this.stream = client.open({
      onOpen: () => this.markOpen(),
      onMessage: (message) => this.receive(message),
      onEnd: ({ code, details }) => this.end({ code, details }),
    });
    client.connect().then(
      () => setTimeout(() => this.markOpen(), silentMs).unref(),
      () =>
        this.end({ code: status.UNAVAILABLE, details: 'no connection within the time allowed' }),
    );
  }

  get isOpen(): boolean {
    return this.openedAt !== undefined && !this.isOver;
  }

  /** Resolves when the message was taken, or dropped because the stream is over. */
  send(message: ClientMessage): Promise<void> {
    return this.stream.send(message);
  }

  /** Breaks the stream off. */
  close(): void {
    this.end({ code: status.CANCELLED, details: 'closed by this manager' });
  }

  private receive(message: ServerMessage): void {
    this.markOpen();
    if (message.kind === 'terminate') {
      const details = 'terminated by the server';
      this.end({ code: status.OK, details, terminated: message.value.message });
      return;
    }
    if (!this.isOver) this.onOrder(message);
  }

  private markOpen(): void {
    if (this.isOver) return;
    this.openedAt ??= performance.now();
    this.open(true);
  }

  private end(end: Omit<StreamEnd, 'livedMs'>): void {
    if (this.isOver) return;
    this.isOver = true;
    this.stream.cancel();
    this.client.close();
    this.open(false);
    const livedMs = this.openedAt === undefined ? 0 : performance.now() - this.openedAt;
    this.finish({ ...end, livedMs });
  }
}
