/** SQLSTATE codes (PostgreSQL appendix A) that this library decides on. */
export const sqlState = {
  uniqueViolation: '23505',
  serializationFailure: '40001',
  deadlock: '40P01',
  unknownDatabase: '3D000',
  unknownRole: '28000',
} as const;

interface DatabaseError {
  code: string;
  constraint?: string;
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

/** The SQLSTATE or system code (`ECONNREFUSED`) of an error or of what caused it; null when there is none. */
export function codeOf(error: unknown): string | null {
  return databaseError(error)?.code ?? null;
}

/** The name of the unique constraint or index that refused a row; null for every other error. */
export function conflictOf(error: unknown): string | null {
  const found = databaseError(error);
  return found?.code === sqlState.uniqueViolation ? (found.constraint ?? '') : null;
}

/** True when the same transaction may succeed if run again: a serialization failure or a deadlock. */
export function isRetryable(error: unknown): boolean {
  const code = codeOf(error);
  return code === sqlState.serializationFailure || code === sqlState.deadlock;
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
