import type { Metrics } from '@glacis/observability';
import { readText } from '@glacis/runtime';
import type { Credentials } from './credentials.js';
import { SuiteError } from './suite-error.js';

export interface DoorOptions {
  /** REST of the suite, without a slash at the end. */
  url: string;
  credentials: Credentials;
  metrics: Metrics;
  /** Milliseconds for an answer. Default 15,000. */
  timeoutMs?: number;
}

export interface DoorCall {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  path: string;
  body?: object;
  idempotencyKey?: string;
  signal?: AbortSignal;
  traceparent?: string;
}

export interface Answer {
  location: string | null;
  /** Empty where there is no body. */
  text: string;
}

/** What makes a body too long for any answer that is expected here. */
const maxAnswerBytes = 4 << 20;

/** The HTTP of the suite's REST, as the operator in a tenant. */
export class Door {
  private readonly count: (method: string, result: string) => void;

  constructor(private readonly options: DoorOptions) {
    const counter = options.metrics.counter({
      name: 'glacis_operator_suite_calls_total',
      help: 'Calls of the REST of the suite by method and result: a status, or unavailable',
      labels: ['method', 'result'],
    });
    this.count = (method, result) => counter.inc({ method, result });
  }

  /** @throws {SuiteError} and nothing else */
  async call(tenant: string, call: DoorCall): Promise<Answer> {
    const first = await this.send(call, await this.token(tenant));
    if (first.status !== 401) return read(first);
    await first.body?.cancel();
    // Keys were rotated or the token was revoked.
    this.options.credentials.forget(tenant);
    return read(await this.send(call, await this.token(tenant)));
  }

  /** @throws {SuiteError} unavailable */
  async check(): Promise<void> {
    const response = await this.fetch('/health/live', {}, undefined);
    await response.body?.cancel();
    if (!response.ok) throw unavailable(`the door answered ${response.status}`);
  }

  private async token(tenant: string): Promise<string> {
    try {
      return await this.options.credentials.token(tenant);
    } catch (cause) {
      throw unavailable(`no token for tenant ${tenant}: ${messageOf(cause)}`, { cause });
    }
  }

  private async send(call: DoorCall, token: string): Promise<Response> {
    const { method, path, body, idempotencyKey, signal, traceparent } = call;
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(traceparent !== undefined && { traceparent }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    };
    return this.fetch(path, { method, headers, body: JSON.stringify(body) }, signal);
  }

  private async fetch(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const { url, timeoutMs = 15_000 } = this.options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const { method = 'GET' } = init;
    try {
      const response = await fetch(`${url}${path}`, { ...init, signal: either, redirect: 'error' });
      this.count(method, String(response.status));
      return response;
    } catch (cause) {
      this.count(method, 'unavailable');
      const why = messageOf((cause as Error).cause ?? cause);
      throw unavailable(`the door at ${url} cannot be reached: ${why}`, { cause });
    }
  }
}

async function read(response: Response): Promise<Answer> {
  const text = await readText(response, maxAnswerBytes).catch((cause: unknown) => {
    throw unavailable('an answer of the door broke off', { cause });
  });
  if (text === undefined) throw unavailable('an answer of the door is too long');
  if (response.ok) return { location: response.headers.get('location'), text };
  throw failureOf(response, text);
}

/** 408, 425, 429 and 5xx say that the suite could not, everything else that it does not want to. */
function failureOf(response: Response, text: string): SuiteError {
  const { status } = response;
  const { type = '', detail, title } = problemIn(text);
  const problem = type.slice(type.lastIndexOf('/') + 1);
  const message = (detail ?? title ?? `the suite answered ${status}`).slice(0, 512);
  const passing = status >= 500 || status === 401 || [408, 425, 429].includes(status);
  const busy = problem === 'request-under-way';
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isNaN(seconds) ? undefined : seconds * 1000;
  const kind = passing || busy ? 'unavailable' : 'refused';
  return new SuiteError(kind, message, { status, problem, retryAfterMs });
}

function problemIn(text: string): { type?: string; detail?: string; title?: string } {
  try {
    return (JSON.parse(text) ?? {}) as object;
  } catch {
    return {};
  }
}

const unavailable = (message: string, details: SuiteError['details'] = {}): SuiteError =>
  new SuiteError('unavailable', message, details);

const messageOf = (error: unknown): string =>
  error instanceof Error
    ? error.message || String((error as { code?: string }).code)
    : String(error);
