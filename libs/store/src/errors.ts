import { types } from 'node:util';

/** SQLSTATE codes (PostgreSQL appendix A) that this library decides on. */
const uniqueViolation = '23505';
const serializationFailure = '40001';
const deadlock = '40P01';

/** What the server says of an error, besides its message. */
interface DatabaseError {
  code: string;
  constraint?: string;
  /** The server's function that raised it. */
  routine?: string;
}

function* causes(error: unknown): Generator<object> {
  const seen = new Set<unknown>();
  let current = error;
  while (typeof current === 'object' && current !== null && !seen.has(current)) {
    seen.add(current);
    yield current;
    current = (current as { cause?: unknown }).cause;
  }
}

function databaseError(error: unknown): DatabaseError | null {
  for (const link of causes(error)) {
    if (typeof (link as { code?: unknown }).code === 'string') {
      return link as DatabaseError;
    }
  }
  return null;
}

/** The name of the unique constraint or index that refused a row; null for every other error. */
export function conflictOf(error: unknown): string | null {
  const found = databaseError(error);
  return found?.code === uniqueViolation ? (found.constraint ?? '') : null;
}

/** True when the same transaction may succeed if run again: a serialization failure or a deadlock. */
export function isRetryable(error: unknown): boolean {
  const code = databaseError(error)?.code;
  return code === serializationFailure || code === deadlock;
}

/** True when a prepared statement no longer fits its tables. Its SQLSTATE alone would mean any unsupported feature. */
export function isOutdatedPlan(error: unknown): boolean {
  return databaseError(error)?.routine === 'RevalidateCachedQuery';
}

/**
 * The database does not answer, or the connection to it broke under a statement, which may have taken effect or not.
 * Try again later. The SQLSTATE is that of a connection failure.
 */
export class DatabaseUnreachableError extends Error {
  readonly code = '08006';

  constructor(cause: Error) {
    super(`the database does not answer: ${cause.message}`, { cause });
  }
}

/**
 * The error of a statement, with a code in any case: the server's errors and those of the network have one, and what
 * `pg` says without one is that its connection is lost or that time is up.
 */
export function coded(error: unknown): unknown {
  const codeless = types.isNativeError(error) && error.name === 'Error' && !('code' in error);
  return codeless ? new DatabaseUnreachableError(error) : error;
}

/**
 * COMMIT was refused because a statement of the transaction had failed and its error was swallowed by the work.
 * Nothing was written. The work must let database errors pass, or use `ON CONFLICT`.
 */
export class TransactionAbortedError extends Error {
  readonly code = 'transaction_aborted';

  constructor() {
    super('the transaction was rolled back, as one of its statements had failed');
  }
}

/** A transaction was used after its work had settled: an `await` is missing. */
export class TransactionEndedError extends Error {
  readonly code = 'transaction_ended';

  constructor() {
    super('the transaction has ended already');
  }
}
