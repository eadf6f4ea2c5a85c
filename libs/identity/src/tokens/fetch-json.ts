import { readText } from '@glacis/runtime';

export interface FetchJsonOptions {
  /** Milliseconds for the whole answer. Default 3,000. */
  timeoutMs?: number;
  /** Longest body in bytes. Default 1 MiB. */
  maxBytes?: number;
}

/** The answer was no good; `status` where there was one. Network errors come as `fetch` throws them. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  constructor(
    url: string,
    why: string,
    readonly status?: number,
  ) {
    super(`${url}: ${why}`);
  }
}

/**
 * GETs a JSON document within bounds of time and length. Redirects are not followed: whoever may answer for a URL is
 * settled by the operator.
 * @throws {FetchError} for any status but 200, a body too long, or one that is not JSON
 */
export async function fetchJson(url: string, options: FetchJsonOptions = {}): Promise<unknown> {
  const { timeoutMs = 3_000, maxBytes = 1_048_576 } = options;
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new FetchError(url, `status ${response.status}`, response.status);
  }
  const text = await readText(response, maxBytes);
  if (text === undefined) throw new FetchError(url, `longer than ${maxBytes} bytes`);
  try {
    return JSON.parse(text);
  } catch {
    throw new FetchError(url, 'the body is not JSON', response.status);
  }
}
