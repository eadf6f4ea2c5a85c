import type { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { RawHeaders } from './headers.js';

type Controller = Dispatcher.DispatchController;

/** The first part of an answer. */
export interface Head {
  status: number;
  headers: RawHeaders;
}

/** Who is told how an exchange went on. */
export interface Watcher {
  /** 1xx (RFC 9110 15.2), but not 100 and 101. */
  onInformation(head: Head): void;
  /** The answer has begun. */
  onHead(head: Head): void;
  /** Takes back a request that still waits for its turn; false when it has had it. */
  withdraw(): boolean;
  /** Once, when nothing more will come. */
  onEnd(failure: Error | undefined): void;
}

/** The request was taken back before any byte of it went out. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/**
 * One request at one replica, and its answer. The answer waits until it is piped on, and is read only as fast as its
 * client takes it.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** True from when the first byte may have gone out. */
  sent = false;
  readonly head: Promise<Head>;
  private resolve!: (head: Head) => void;
  private reject!: (error: Error) => void;
  private controller: Controller | undefined;
  private sink: Writable | undefined;
  private answered = false;
  private ended = false;
  private cancelled: Error | undefined;
  private readonly waiting: NodeJS.Timeout;

  /** @param waitMs how long the request may wait for a connection */
  constructor(
    private readonly watcher: Watcher,
    waitMs: number,
  ) {
    this.head = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.waiting = setTimeout(
      () => this.cancel(new NotSentError(`no connection within ${waitMs} ms`)),
      waitMs,
    );
  }

  /** Sends the body of the answer on; the sink is cut where the answer is. */
  pipeTo(sink: Writable): void {
    this.sink = sink;
    if (this.cancelled) sink.destroy(this.cancelled);
    else if (this.ended) sink.end();
    else this.controller?.resume();
  }

  /** Gives up: the connection is closed, or the request never sent. */
  cancel(reason: Error): void {
    if (this.ended || this.cancelled) return;
    this.cancelled = reason;
    clearTimeout(this.waiting);
    this.reject(reason);
    if (!this.watcher.withdraw()) return this.controller?.abort(reason);
    this.ended = true;
    this.watcher.onEnd(reason);
  }

  onRequestStart(controller: Controller): void {
    clearTimeout(this.waiting);
    if (this.cancelled) return controller.abort(this.cancelled);
    this.controller = controller;
    this.sent = true;
  }

  onResponseStart(controller: Controller, status: number): void {
    const headers = (controller.rawHeaders as Buffer[]).map((part) => part.toString('latin1'));
    if (status < 200) return this.watcher.onInformation({ status, headers });
    this.answered = true;
    controller.pause();
    this.watcher.onHead({ status, headers });
    this.resolve({ status, headers });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.sink?.write(chunk) !== false) return;
    controller.pause();
    this.sink.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.ended = true;
    this.sink?.end();
    this.watcher.onEnd(undefined);
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    this.ended = true;
    clearTimeout(this.waiting);
    if (this.answered) {
      this.cancelled ??= error;
      this.sink?.destroy(error);
    } else {
      this.reject(error);
    }
    this.watcher.onEnd(error);
  }
}
