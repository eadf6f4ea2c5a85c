/**
 * - `failed`: helm has refused or could not; its text says why. Later attempts may succeed.
 * - `repository`: the same for a repository that cannot be read.
 * - `timeout`: it was not done in time and was ended.
 * - `stopped`: it was ended because the caller wanted it.
 */
export type HelmErrorCode = 'failed' | 'repository' | 'timeout' | 'stopped';

/** A helm process that did not succeed. The message is what helm said, without credentials, and may be shown to users. */
export class HelmError extends Error {
  override readonly name = 'HelmError';

  constructor(
    readonly code: HelmErrorCode,
    message: string,
  ) {
    super(message);
  }
}
