import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@glacis/runtime';
import { codeOf } from '../../storage/provider-calls.js';

/** As long as the clients of storage try. */
const tries = 3;
const betweenTries = { initialMs: 200, factor: 2, maxMs: 2_000, jitter: 0.5 };

/** A refused call, with its status and its most telling word, as those of the official clients have. */
export class RestError extends Error {
  override readonly name = 'RestError';

  constructor(
    readonly statusCode: number,
    readonly code: string | undefined,
    text: string,
  ) {
    super(text);
  }
}

export interface RestCall {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the base, or a whole URL of the same origin, as pages and operations name their next. */
  path: string;
  query?: Readonly<Record<string, string | undefined>>;
  body?: unknown;
  signal: AbortSignal;
}

/**
 * A JSON interface of a cloud that asks for bearer tokens. Calls are tried again after 429, 5xx and lost connections, so each
 * has to be one that may come twice.
 */
export class RestApi {
  /**
   * @param base ends without a slash
   * @param headersFor the authorization of a call to a URL
   */
  constructor(
    private readonly base: string,
    private readonly headersFor: (url: string) => Promise<Record<string, string>>,
  ) {}

  /** @throws {RestError} when it is refused, and what fetch throws */
  async call<T>(call: RestCall): Promise<T> {
    const url = this.urlOf(call);
    for (let tried = 1; ; tried++) {
      try {
        return (await this.once(url, call)) as T;
      } catch (error) {
        call.signal.throwIfAborted();
        if (tried === tries || !mayPass(error)) throw error;
      }
      await sleep(backoffMs(betweenTries, tried), undefined, { signal: call.signal });
    }
  }

  /** Undefined where there is nothing. */
  async find<T>(path: string, options: Pick<RestCall, 'query' | 'signal'>): Promise<T | undefined> {
    try {
      return await this.call<T>({ method: 'GET', path, ...options });
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return undefined;
      throw error;
    }
  }

  private urlOf({ path, query = {} }: RestCall): string {
    const url = new URL(path.startsWith('/') ? `${this.base}${path}` : path);
    // The token goes to nobody else, whatever a page names as the next one.
    if (url.origin !== new URL(this.base).origin) throw new RangeError('a page lies elsewhere');
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value);
    return url.href;
  }

  private async once(url: string, { method, body, signal }: RestCall): Promise<unknown> {
    const headers = { ...(await this.headersFor(url)), 'content-type': 'application/json' };
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const reply = await fetch(url, { method, headers, body: sent, signal, redirect: 'error' });
    const text = await reply.text();
    if (reply.ok) return text === '' ? undefined : JSON.parse(text);
    throw new RestError(reply.status, tellingWord(text), text);
  }
}

/** What is no answer at all may pass as well. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof RestError) || error.statusCode === 429 || error.statusCode >= 500;

interface Told {
  /** A status, with Google; a word, with Azure. */
  code?: unknown;
  errors?: readonly { reason?: string; code?: string }[];
  details?: readonly Told[];
}

/** Of all the words of an error the first that means something to us; causes stand deeper than what they caused. */
export function tellingWord(text: string): string | undefined {
  const all = wordsOf((parsed(text) as { error?: Told } | undefined)?.error ?? {});
  return all.find((word) => codeOf(word) !== undefined) ?? all.at(-1);
}

function wordsOf({ code, errors = [], details = [] }: Told): string[] {
  const reasons = errors.flatMap((each) => each.reason ?? each.code ?? []);
  return [...details.flatMap(wordsOf), ...reasons, ...(typeof code === 'string' ? [code] : [])];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
