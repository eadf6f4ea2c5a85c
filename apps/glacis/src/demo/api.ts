/** The calls that the demo makes, as any REST client would make them. */
export class Api {
  /** @param limitMs milliseconds that a call may take, whatever happens to whom it went to */
  constructor(
    readonly door: string,
    readonly token: string,
    private readonly limitMs = 30_000,
  ) {}

  /** The reply of a call that has to succeed. */
  async call(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(new URL(path, this.door), {
      method,
      signal: AbortSignal.timeout(this.limitMs),
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.ok) return response;
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await (await this.call(method, path, body)).json()) as T;
  }

  /** A call without the token; any status is an answer. */
  async anonymous(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(new URL(path, this.door), { headers });
  }
}
