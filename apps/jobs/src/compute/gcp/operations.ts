import { RestError, tellingWord, type RestApi, type RestCall } from '../machines/rest-api.js';

/** An answer of Compute Engine to whatever changes something: it is done later. */
interface Operation {
  name: string;
  status: string;
  /** URL, where it is one of a zone. */
  zone?: string;
  error?: { errors?: { code: string }[] };
  httpErrorStatusCode?: number;
}

type Options = Pick<RestCall, 'query' | 'signal'>;

/** Calls that change something, up to their end. */
export class Operations {
  constructor(private readonly api: RestApi) {}

  /** Makes something in a collection. */
  async run(path: string, body: unknown, options: Options): Promise<void> {
    const begun = await this.api.call<Operation>({ method: 'POST', path, body, ...options });
    await this.end(begun, options.signal);
  }

  async delete(path: string, options: Options): Promise<void> {
    const begun = await this.api.call<Operation>({ method: 'DELETE', path, ...options });
    await this.end(begun, options.signal);
  }

  /** @throws {RestError} when it has failed, as quotas are told of only here */
  private async end(begun: Operation, signal: AbortSignal): Promise<void> {
    const scope = begun.zone === undefined ? '/global' : `/zones/${begun.zone.split('/').at(-1)}`;
    const path = `${scope}/operations/${begun.name}/wait`;
    let operation = begun;
    // Each call waits for two minutes at most.
    while (operation.status !== 'DONE')
      operation = await this.api.call<Operation>({ method: 'POST', path, signal });
    const { error, httpErrorStatusCode = 503 } = operation;
    if (error === undefined) return;
    const text = JSON.stringify({ error });
    throw new RestError(httpErrorStatusCode, tellingWord(text), text);
  }
}
