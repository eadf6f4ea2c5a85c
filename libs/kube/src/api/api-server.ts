import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { RecordedSpan, Tracing } from '@glacis/observability';
import { abortable } from './abortable.js';
import type { Access } from './access.js';
import { giveUp } from './connections.js';
import { errorOfStatus, KubeError, type KubeStatus } from './kube-error.js';
import { warningsIn } from './warnings.js';

export interface ApiServerOptions {
  /** Milliseconds after which a call without a full answer is given up. Default 10,000. */
  timeoutMs?: number;
  /** Bytes of an answer at most; a page of a list has to fit. Default 64 MiB. */
  maxAnswerBytes?: number;
  /** Names the program in the audit log of the API server. Default `glacis`. */
  userAgent?: string;
  /** Told of each warning of an answer, such as those of admission. Default: they are passed over. */
  onWarning?: (text: string) => void;
}

/** Whether something may still be sent. The term of a leader is one. */
export interface Fence {
  /** Aborted when nothing may be sent any more. */
  readonly signal: AbortSignal;
  /** Asked right before each call goes out, as timers of a process that was paused come late. */
  holds(): boolean;
}

/** What calls are part of. */
export interface CallTrace {
  tracing: Pick<Tracing, 'start'>;
  /** Of the span whose children the calls are. */
  traceparent: string;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Default `application/json`. */
  contentType?: string;
}

interface SentCall extends Call {
  traceparent?: string;
}

/** The HTTP of the Kubernetes API: credentials, time-outs, bounds, errors. */
export class ApiServer {
  private readonly timeoutMs: number;
  private readonly maxAnswerBytes: number;

  constructor(
    private readonly access: Access,
    private readonly options: ApiServerOptions = {},
    private readonly scope: { fence?: Fence; trace?: CallTrace } = {},
  ) {
    this.timeoutMs = options.timeoutMs ?? 10_000;
    this.maxAnswerBytes = options.maxAnswerBytes ?? 64 << 20;
  }

  /** The namespace that the credentials belong to. */
  get namespace(): string {
    return this.access.namespace;
  }

  /** The same server for whoever may call it only while the fence holds: calls fail with `fenced` after that. */
  fencedBy(fence: Fence): ApiServer {
    return new ApiServer(this.access, this.options, { ...this.scope, fence });
  }

  /** The same server with a span of every call, and its `traceparent` in the call. */
  tracedBy(trace: CallTrace): ApiServer {
    return new ApiServer(this.access, this.options, { ...this.scope, trace });
  }

  /** The same server with another time-out. */
  within(timeoutMs: number): ApiServer {
    return new ApiServer(this.access, { ...this.options, timeoutMs }, this.scope);
  }

  /** The JSON of the answer. @throws {KubeError} */
  async call(call: Call): Promise<unknown> {
    const deadline = new Deadline(this.timeoutMs, this.scope.fence?.signal);
    const span = this.spanOf(call);
    try {
      const sent = { ...call, traceparent: span?.traceparent };
      const answer = await this.admitted(sent, deadline.signal);
      const body: unknown = JSON.parse(await textOf(answer, this.maxAnswerBytes));
      span?.end();
      return body;
    } catch (error) {
      const failure = failureOf(error, deadline.signal);
      // What has silenced one connection, such as a firewall that forgot it, may have silenced all.
      if (failure.code === 'timeout') this.access.closeIdle();
      span?.end(failure, { 'error.type': failure.code });
      throw failure;
    } finally {
      deadline.clear();
    }
  }

  /**
   * The body of an answer that goes on; whoever reads it destroys it.
   * @param signal ends it
   * @throws {KubeError} when it does not begin within the time of a call
   */
  async stream(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const opening = new Deadline(this.timeoutMs, signal);
    try {
      const answer = await this.admitted({ method: 'GET', path }, opening.signal);
      const end = (): void => void answer.destroy();
      signal.addEventListener('abort', end, { once: true });
      answer.once('close', () => signal.removeEventListener('abort', end));
      return answer;
    } catch (error) {
      throw failureOf(error, opening.signal);
    } finally {
      opening.clear();
    }
  }

  private spanOf({ method, path }: Call): RecordedSpan | undefined {
    const { trace } = this.scope;
    const [urlPath = path] = path.split('?');
    const attributes = { 'http.request.method': method, 'url.path': urlPath };
    return trace?.tracing.start(`kube ${method}`, trace.traceparent, attributes, 'client');
  }

  /** Credentials that were replaced meanwhile are read anew, once. */
  private async admitted(call: SentCall, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.send(call, signal, false);
    if (answer.statusCode !== 401) return this.succeeded(answer);
    answer.resume();
    return this.succeeded(await this.send(call, signal, true));
  }

  private async succeeded(answer: IncomingMessage): Promise<IncomingMessage> {
    const { onWarning } = this.options;
    if (onWarning) warningsIn(answer.headersDistinct.warning).forEach(onWarning);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    const text = await textOf(answer, this.maxAnswerBytes);
    const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
    throw errorOfStatus(status, statusIn(text), Number.isNaN(seconds) ? undefined : seconds);
  }

  private async send(call: SentCall, signal: AbortSignal, anew: boolean): Promise<IncomingMessage> {
    const { headers, agent } = await abortable(this.access.credentials(anew), signal);
    const url = new URL(call.path, this.access.server);
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    if (this.scope.fence?.holds() === false) throw fenced();
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: call.method,
      agent,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': this.options.userAgent ?? 'glacis',
        ...(call.traceparent !== undefined && { traceparent: call.traceparent }),
        ...(body !== undefined && {
          'content-type': call.contentType ?? 'application/json',
          'content-length': Buffer.byteLength(body),
        }),
      },
    });
    return new Promise((resolve, reject) => {
      const stop = (): void => giveUp(request);
      signal.addEventListener('abort', stop, { once: true });
      request.once('close', () => signal.removeEventListener('abort', stop));
      request.once('response', resolve).on('error', reject).end(body);
      if (signal.aborted) stop();
    });
  }
}

/** A signal that fires after a time, or with another signal. */
class Deadline {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly onOuter = (): void => this.controller.abort(fenced());

  constructor(
    ms: number,
    private readonly outer?: AbortSignal,
  ) {
    this.timer = setTimeout(() => {
      this.controller.abort(new KubeError('timeout', `no answer within ${ms} ms`));
    }, ms);
    if (outer?.aborted) this.onOuter();
    outer?.addEventListener('abort', this.onOuter);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  clear(): void {
    clearTimeout(this.timer);
    this.outer?.removeEventListener('abort', this.onOuter);
  }
}

const fenced = (): KubeError => new KubeError('fenced', 'ended from this side');

function failureOf(error: unknown, signal: AbortSignal): KubeError {
  if (error instanceof KubeError) return error;
  if (signal.reason instanceof KubeError) return signal.reason;
  return new KubeError('unavailable', 'the API server cannot be reached', { cause: error });
}

/** By events: an iterator over a stream costs more than all else that is done with a small answer. */
function textOf(answer: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else answer.destroy(new KubeError('unavailable', `an answer of over ${maxBytes} bytes`));
    });
    answer.once('end', () => resolve(Buffer.concat(chunks).toString()));
    answer.once('error', reject);
    answer.once('close', () => reject(new Error('the answer broke off')));
  });
}

function statusIn(text: string): KubeStatus {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
