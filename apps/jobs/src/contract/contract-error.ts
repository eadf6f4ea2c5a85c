/** One thing that is wrong with a member of a body. */
export interface Fault {
  /** Path of the member, as `schema.speed`. */
  field: string;
  /** As `not_a_unit`. */
  code: string;
  message: string;
}

/** An answer of a contract route that is no success, to the byte (`jobs.md` 2). */
export class ContractError extends Error {
  override readonly name = 'ContractError';

  constructor(
    readonly status: number,
    readonly body: { error: string } & Record<string, unknown>,
    readonly headers: Record<string, string> = {},
  ) {
    super(body.error);
  }
}

const refusal = (status: number, error: string): ContractError =>
  new ContractError(status, { error });

/** Answers without members of their own. */
export const refusals = {
  unauthenticated: (): ContractError => refusal(401, 'Authentication required'),
  forbidden: (): ContractError => refusal(403, 'Not allowed'),
  notJsonType: (): ContractError => refusal(400, 'Request body must be application/json'),
  notAnObject: (): ContractError => refusal(400, 'Request body is not a valid JSON object'),
  tooMany: (): ContractError => refusal(429, 'Too many requests'),
};

export function missingFields(names: readonly string[]): ContractError {
  return new ContractError(400, { error: 'missing necessary fields', missing_fields: names });
}

/** @param faults at least one; a column is named by its path, and its member once */
export function invalidFields(faults: readonly (Fault & { member: string })[]): ContractError {
  return new ContractError(400, {
    error: 'invalid fields',
    invalid_fields: [...new Set(faults.map(({ member }) => member))],
    details: faults.map(({ field, code, message }) => ({ field, code, message })),
  });
}

/** The one answer to a job that is not there and to one that is not the caller's. */
export function jobNotFound(id: string): ContractError {
  return new ContractError(404, { error: 'Job ID not found', job_id: id });
}

export function conflict(error: string, job: string, code?: string): ContractError {
  return new ContractError(409, { error, job_id: job, ...(code && { code }) });
}
