/** The server will not have it: asking again in the same way is in vain. */
export class RefusedError extends Error {
  /** @param problem the problem's name, as `enrolment-token-invalid` */
  constructor(
    readonly problem: string,
    detail: string,
    /** Of HTTP; undefined where the connection was not trusted. */
    readonly status?: number,
  ) {
    super(`${problem}: ${detail}`);
    this.name = 'RefusedError';
  }
}

/** No answer, or one that may be another later. */
export class TryAgainError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TryAgainError';
  }
}
