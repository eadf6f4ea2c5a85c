import {
  expiryOf,
  type CredentialsSource,
  type ServingCredentials,
} from './serving-credentials.js';

/** API servers hear of a changed registration a moment after it is stored. */
const settleMs = 3_000;

/**
 * Decides when to serve new credentials. A certificate of a new CA that comes before API servers trust that CA fails every
 * call, so it waits until they have done so for 3 s; but not beyond the end of the one in use.
 */
export class Turnover {
  private current: ServingCredentials | undefined;
  private trustedSince: number | undefined;

  /** @param trusted whether API servers trust these roots */
  constructor(
    private readonly source: CredentialsSource,
    private readonly trusted: (ca: string | Buffer) => boolean,
  ) {}

  /**
   * @param now epoch milliseconds
   * @returns what is to be served from now on; undefined where nothing changes
   */
  next(now: number): ServingCredentials | undefined {
    const offered = this.source.credentials();
    if (offered === this.current) return undefined;
    if (this.current === undefined || expiryOf(this.current) <= now) return offered;
    if (!this.trusted(offered.ca)) this.trustedSince = undefined;
    else this.trustedSince ??= now;
    return this.trustedSince !== undefined && now - this.trustedSince >= settleMs
      ? offered
      : undefined;
  }

  /** They are served: `next` gives them no more. */
  taken(credentials: ServingCredentials): void {
    this.current = credentials;
    this.trustedSince = undefined;
  }
}
