/**
 * What a call of the suite failed with. `unavailable`: no answer, or one that says to come again; its outcome is unknown.
 * `refused`: the suite does not want it, and the same call again cannot help.
 */
export class SuiteError extends Error {
  override readonly name = 'SuiteError';

  constructor(
    readonly kind: 'unavailable' | 'refused',
    message: string,
    readonly details: {
      /** HTTP status, where there is an answer. */
      status?: number;
      /** Slug of the problem: `backend-exists`. */
      problem?: string;
      retryAfterMs?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
  }

  /** Read by the work queue. */
  get retryAfterMs(): number | undefined {
    return this.details.retryAfterMs;
  }
}

/** Whether an error says that the suite could not be asked. */
export function isUnavailable(error: unknown): error is SuiteError {
  return error instanceof SuiteError && error.kind === 'unavailable';
}

/** Whether it is a refusal, for one of these problems if any are named. */
export function isRefusal(error: unknown, ...problems: string[]): error is SuiteError {
  if (!(error instanceof SuiteError) || error.kind !== 'refused') return false;
  return problems.length === 0 || problems.includes(error.details.problem ?? '');
}
