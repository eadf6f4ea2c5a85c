/** An answer of the service that is not a success. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    message: string,
    /** Stable code of the refusal, where it has one. */
    readonly code?: string,
    /** The document as it came. */
    readonly document?: unknown,
  ) {
    super(message);
  }
}

/** There is no service at the address, or the connection broke. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Time until a call is given up, in ms; submit checks data while it runs. */
const TIMEOUT_MS = 120_000;

/** Calls the routes of `jobs` (jobs.md 2 and 3) with one token. */
export class JobsApi {
  constructor(
    /** Address of the service, such as `https://glacis.example`. */
    private readonly server: string,
    private readonly token?: string,
  ) {}

  with(token: string | undefined): JobsApi {
    return new JobsApi(this.server, token);
  }

  /** @throws ApiError on any status but 2xx, NoAnswerError */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const init = { method, body: sent, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const type = { 'content-type': 'application/json' };
    const response = await this.request(path, init, sent === undefined ? {} : type);
    return parsed(await response.text()) as T;
  }

  /** As `fetch`, with the token. @throws ApiError on any status but 2xx, NoAnswerError */
  async request(
    path: string,
    init: RequestInit = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const all = { ...headers, ...(this.token && { authorization: `Bearer ${this.token}` }) };
    const response = await this.fetched(path, { ...init, headers: all });
    if (response.ok) return response;
    throw refusal(response.status, parsed(await response.text()));
  }

  private async fetched(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(new URL(path, this.server), init);
    } catch (error) {
      throw new NoAnswerError(`no answer from ${this.server}`, { cause: error });
    }
  }

  get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.call('POST', path, body);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Contract routes say `error`, all others are problem documents (RFC 9457). */
interface Refusal {
  error?: string;
  code?: string;
  title?: string;
  detail?: string;
  reason?: { code?: string };
  details?: { field: string; code: string; message: string }[];
}

function refusal(status: number, document: unknown): ApiError {
  const { error, code, title, detail, reason, details = [] } = (document ?? {}) as Refusal;
  const said = detail ?? error ?? title ?? `the server answered ${status}`;
  const fields = details.map(({ field, message }) => `${field}: ${message}`);
  const codes = [code, reason?.code, details[0]?.code];
  const message = [said, ...fields].join('; ');
  return new ApiError(status, message, codes.find(Boolean), document);
}
