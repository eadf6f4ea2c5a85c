export type ProviderErrorCode =
  'exists' | 'not_found' | 'denied' | 'quota' | 'throttled' | 'unavailable' | 'invalid' | 'timeout';

const transient: ReadonlySet<ProviderErrorCode> = new Set(['throttled', 'unavailable', 'timeout']);

/**
 * A call to a provider failed. The message is ours and may be shown; what the provider said is the cause, which only the
 * log may have. Whoever meets a transient one tries again after a while (jobs.md 9).
 */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly code: ProviderErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }

  get transient(): boolean {
    return transient.has(this.code);
  }
}
