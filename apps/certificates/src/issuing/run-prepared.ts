import type { Answer, Idempotency, IdempotentRequest } from '@glacis/http';
import type { Tx } from '@glacis/store';

/** Ends the transaction in which a request turned out to be new, so that it leaves nothing. */
class NotAnsweredError extends Error {
  readonly code = 'NOT_ANSWERED';
}

/**
 * As `Idempotency.run`, for work that begins with something slow: `prepare` asks other services and makes keys while no
 * connection to the database is held, and does not run for a request that was answered before.
 */
export async function runPrepared<T>(
  idempotency: Idempotency,
  request: IdempotentRequest,
  prepare: () => Promise<T>,
  work: (tx: Tx, prepared: T) => Promise<Answer>,
): Promise<Answer> {
  const earlier = request.key === undefined ? null : await answered(idempotency, request);
  if (earlier !== null) return earlier;
  const prepared = await prepare();
  return idempotency.run(request, (tx) => work(tx, prepared));
}

async function answered(
  idempotency: Idempotency,
  request: IdempotentRequest,
): Promise<Answer | null> {
  const notAnswered = new NotAnsweredError();
  try {
    return await idempotency.run(request, () => Promise.reject(notAnswered));
  } catch (error) {
    if (error === notAnswered) return null;
    throw error;
  }
}
