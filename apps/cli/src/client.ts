import { readFileSync } from 'node:fs';

/** One of several reasons for a refusal. */
export interface Fault {
  code?: string;
  /** What it is about, as a JSON pointer. */
  path?: string;
  message?: string;
}

/** The members of a problem document (RFC 9457) that are shown. */
export interface ProblemDocument {
  title?: string;
  detail?: string;
  code?: string;
  request_id?: string;
  errors?: Fault[];
}

/** A reply of the server that is not a success, with its problem document when it sent one. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly problem: ProblemDocument,
  ) {
    super(problem.detail ?? problem.title ?? `the server answered ${status}`);
  }

  /** `CODE path: message` of each reason; none where the refusal has but one. */
  get lines(): string[] {
    return (this.problem.errors ?? []).map(({ code = '', path = '', message = '' }) => {
      return `${[code, path].filter(Boolean).join(' ')}: ${message}`;
    });
  }
}

/** The server could not be reached, or its address is no URL. */
export class UnreachableError extends Error {}

/** Something in the command line or its files is wrong: nothing was sent. */
export class UsageError extends Error {}

export interface ClientOptions {
  /** Base URL of the door, such as `http://127.0.0.1:8080`. */
  server: string;
  /** File that holds the bearer token. */
  tokenFile: string;
  /** Time until a call is given up, in ms. */
  timeoutMs?: number;
}

export interface Call {
  body?: unknown;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  /** Statuses beyond 2xx that are an answer, not a refusal. */
  accept?: number[];
  /** Sends no token: for what the server shows to anyone. */
  anonymous?: boolean;
}

export interface Reply {
  status: number;
  headers: Headers;
  bytes: Buffer;
  json<T>(): T;
}

/** Calls the REST API of one server with one token. */
export class Client {
  constructor(private readonly options: ClientOptions) {}

  /** @throws {RefusedError} on any status but 2xx, {UnreachableError} when there is no answer. */
  async call(method: string, path: string, call: Call = {}): Promise<Reply> {
    const response = await this.send(method, path, call);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (!response.ok && !call.accept?.includes(response.status))
      throw new RefusedError(response.status, problemOf(bytes));
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      json: <T>() => JSON.parse(bytes.toString('utf8')) as T,
    };
  }

  async get<T>(path: string, query?: Call['query']): Promise<T> {
    return (await this.call('GET', path, { query })).json<T>();
  }

  private async send(method: string, path: string, call: Call): Promise<Response> {
    const headers: Record<string, string> = { ...call.headers };
    if (!call.anonymous) headers['authorization'] = `Bearer ${this.token()}`;
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    const url = this.url(path, call.query);
    try {
      return await fetch(url, {
        method,
        headers,
        body: call.body === undefined ? undefined : JSON.stringify(call.body),
        signal: AbortSignal.timeout(this.options.timeoutMs ?? 30_000),
      });
    } catch (error) {
      throw new UnreachableError(`no answer from ${this.options.server}`, { cause: error });
    }
  }

  private url(path: string, query: Call['query'] = {}): URL {
    if (!URL.canParse(path, this.options.server)) {
      throw new UsageError(`--server: '${this.options.server}' is no URL`);
    }
    const url = new URL(path, this.options.server);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  private token(): string {
    try {
      return readFileSync(this.options.tokenFile, 'utf8').trim();
    } catch (error) {
      throw new UsageError(
        `--token-file: cannot read '${this.options.tokenFile}' (GLACIS_TOKEN_FILE names another)`,
        { cause: error },
      );
    }
  }
}

function problemOf(bytes: Buffer): RefusedError['problem'] {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
