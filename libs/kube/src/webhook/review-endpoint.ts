import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger, Tracing } from '@glacis/observability';
import { abortable } from '../api/abortable.js';
import type { Hook, Review } from './hook.js';
import type { HookResult, WebhookMetrics } from './webhook-metrics.js';

export interface ReviewEndpointOptions {
  hooks: Readonly<Record<string, Hook>>;
  maxBodyBytes: number;
  maxPendingBytes: number;
  tracing: Pick<Tracing, 'start'>;
  logger: Logger;
  metrics: WebhookMetrics;
}

/** What the API server waits for unless it says otherwise (admissionregistration.k8s.io/v1, timeoutSeconds). */
const defaultWaitMs = 10_000;
const maxWaitMs = 30_000;
/** What a piece of a body costs beside its bytes, about: a body can come in pieces of one byte. */
const chunkOverhead = 100;

interface Answer {
  status: number;
  body: string;
  /** Default `text/plain`. */
  type?: 'application/json';
  result: HookResult;
}

/** Reads a review within bounds, has its hook decide it before the API server gives up, and answers. */
export class ReviewEndpoint {
  /** Bytes of bodies that are being read or decided upon. */
  private pendingBytes = 0;

  constructor(private readonly options: ReviewEndpointOptions) {}

  /** Whether a path has a hook. */
  has(path: string): boolean {
    return Object.hasOwn(this.options.hooks, path);
  }

  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const measured = this.options.metrics.begin(path);
    const result = await this.result(path, request, response).catch(() => 'aborted' as const);
    measured.end(result);
  }

  private async result(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<HookResult> {
    const waiting = new Waiting(request, response);
    const held = { chunks: [] as Buffer[], bytes: 0 };
    try {
      const complete = await this.read(request, held);
      const answer = complete
        ? await this.reviewed(path, Buffer.concat(held.chunks), { request, signal: waiting.signal })
        : rejected;
      if (!complete) response.setHeader('connection', 'close');
      send(response, answer);
      return answer.result;
    } finally {
      waiting.end();
      this.pendingBytes -= held.bytes;
    }
  }

  /** @returns false for a body that is too large, or too much beside others */
  private async read(
    request: IncomingMessage,
    into: { chunks: Buffer[]; bytes: number },
  ): Promise<boolean> {
    const { maxBodyBytes, maxPendingBytes } = this.options;
    // Left early, it is still to be answered.
    const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      const bytes = chunk.length + chunkOverhead;
      into.chunks.push(chunk);
      into.bytes += bytes;
      this.pendingBytes += bytes;
      if (into.bytes > maxBodyBytes || this.pendingBytes > maxPendingBytes) return false;
    }
    return true;
  }

  private async reviewed(
    path: string,
    body: Buffer,
    { request, signal }: { request: IncomingMessage; signal: AbortSignal },
  ): Promise<Answer> {
    const review = this.options.hooks[path]?.(jsonOf(body));
    if (!review) return { status: 400, body: 'this is no such review', result: 'invalid' };
    const { tracing } = this.options;
    const parent = request.headers.traceparent as string | undefined;
    const span = tracing.start(`webhook ${path}`, parent, review.subject, 'server');
    const answer = await this.decided(review, { signal, traceparent: span.traceparent });
    const failed = answer.result === 'failed' || answer.result === 'timeout';
    span.end(failed ? answer.result : undefined, { result: answer.result });
    return answer;
  }

  /** Whatever goes wrong in a handler, the answer is a refusal that tells nothing of it. */
  private async decided(
    review: Review,
    context: { signal: AbortSignal; traceparent: string },
  ): Promise<Answer> {
    const { subject } = review;
    try {
      const { body, result } = await abortable(review.decide(context), context.signal);
      return told(body, result);
    } catch (err) {
      if (context.signal.aborted) {
        this.options.logger.warn({ subject }, 'a webhook did not decide in time');
        return told(review.failed(late), 'timeout');
      }
      this.options.logger.error({ err, subject }, 'a webhook could not decide');
      return told(review.failed(broken), 'failed');
    }
  }
}

const rejected: Answer = { status: 413, body: 'the review is too large', result: 'rejected' };
const late = { code: 504, reason: 'Timeout', message: 'the webhook did not decide in time' };
const broken = { code: 500, reason: 'InternalError', message: 'the webhook could not decide' };

/** Aborts when the API server is about to give up, or has gone. */
class Waiting {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly stop = (): void =>
    this.controller.abort(new Error('nobody waits for the answer'));

  constructor(
    request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    // A tenth is left for the way back.
    this.timer = setTimeout(this.stop, waitMs(request) * 0.9);
    response.once('close', this.stop);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  end(): void {
    clearTimeout(this.timer);
    this.response.off('close', this.stop);
  }
}

/** The API server adds its own time-out to the URL: `?timeout=10s`. */
function waitMs({ url = '' }: IncomingMessage): number {
  const [, seconds] = /[?&]timeout=(\d+)s(?:&|$)/.exec(url) ?? [];
  return seconds === undefined ? defaultWaitMs : Math.min(Number(seconds) * 1_000, maxWaitMs);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** @throws {RangeError} for objects nested too deep, some thousands */
function told(review: object, result: HookResult): Answer {
  return { status: 200, body: JSON.stringify(review), type: 'application/json', result };
}

function send(response: ServerResponse, { status, body, type }: Answer): void {
  response
    .writeHead(status, { 'content-type': type ?? 'text/plain' })
    .end(type === undefined ? `${body}\n` : body);
}
