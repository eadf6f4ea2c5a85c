import type { ClientMessage } from '@glacis/grpc';

type Send = (message: ClientMessage) => Promise<void>;

/** Messages kept while no stream is open; the oldest log goes first, then the oldest message. */
const maxWaiting = 1_000;

/** What the server is to hear, in order: computations go on while a stream is away, and so do their messages. */
export class Outgoing {
  private readonly waiting: ClientMessage[] = [];
  private send: Send | undefined;
  private pumping = false;

  push(message: ClientMessage): void {
    if (this.waiting.length >= maxWaiting) this.dropOne();
    this.waiting.push(message);
    void this.pump();
  }

  /** Messages go to this stream from now on. */
  attach(send: Send): void {
    this.send = send;
    void this.pump();
  }

  /** Messages wait, unless another stream was attached since. */
  detach(send: Send): void {
    if (this.send === send) this.send = undefined;
  }

  private async pump(): Promise<void> {
    if (this.pumping) return;
    this.pumping = true;
    while (this.send !== undefined) {
      const message = this.waiting.shift();
      if (message === undefined) break;
      await this.send(message);
    }
    this.pumping = false;
  }

  private dropOne(): void {
    const log = this.waiting.findIndex((message) => message.kind === 'agentLog');
    this.waiting.splice(Math.max(log, 0), 1);
  }
}
