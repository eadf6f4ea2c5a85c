import { once } from 'node:events';
import { directionOf } from './names.js';
import { ProviderError, type ProviderErrorCode } from './provider-error.js';
import type { Call } from './storage-provider.js';

/** What the clients of the clouds put on their errors. */
interface CloudFailure {
  name?: string;
  /** A word of the provider, or a status. */
  code?: unknown;
  statusCode?: unknown;
  $metadata?: { httpStatusCode?: number };
}

const words: Readonly<Record<string, ProviderErrorCode>> = {
  TooManyBuckets: 'quota',
  QuotaExceeded: 'quota',
  SlowDown: 'throttled',
  ServerBusy: 'throttled',
  ThrottlingException: 'throttled',
  CredentialsProviderError: 'denied',
  CredentialUnavailableError: 'denied',
  // EC2 answers 400 to most of what it refuses.
  InstanceLimitExceeded: 'quota',
  VcpuLimitExceeded: 'quota',
  SecurityGroupLimitExceeded: 'quota',
  RequestLimitExceeded: 'throttled',
  InsufficientInstanceCapacity: 'unavailable',
  UnauthorizedOperation: 'denied',
  AuthFailure: 'denied',
  OptInRequired: 'denied',
  // Compute Engine and Azure Resource Manager say these with 403 and 409, or in an operation that has failed.
  quotaExceeded: 'quota',
  QUOTA_EXCEEDED: 'quota',
  OperationNotAllowed: 'quota',
  rateLimitExceeded: 'throttled',
  ZONE_RESOURCE_POOL_EXHAUSTED: 'unavailable',
  AllocationFailed: 'unavailable',
  ZonalAllocationFailed: 'unavailable',
};

/** What a word of a provider means, where it says more than the status beside it. */
export function codeOf(word: string): ProviderErrorCode | undefined {
  if (word.endsWith('.NotFound')) return 'not_found';
  return word.endsWith('.Duplicate') ? 'exists' : words[word];
}

const statuses: Readonly<Record<number, ProviderErrorCode>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not_found',
  409: 'exists',
  412: 'exists',
  413: 'invalid',
  429: 'throttled',
};

const messages: Readonly<Record<ProviderErrorCode, string>> = {
  exists: 'it exists already',
  not_found: 'it is not there',
  denied: 'access denied',
  quota: 'quota exceeded',
  throttled: 'too many calls',
  unavailable: 'the provider does not answer',
  invalid: 'the provider refused the call',
  timeout: 'the call took too long',
};

/** The word and the status that a client's error carries. */
export function toldBy(error: unknown): { word: string; status: number | undefined } {
  const { name = '', code, statusCode, $metadata } = (error ?? {}) as CloudFailure;
  const status = [$metadata?.httpStatusCode, statusCode, code].find(Number.isInteger);
  return { word: typeof code === 'string' ? code : name, status: status as number | undefined };
}

/** An error of any client as a failure with a code; its own text stays inside (jobs.md 10.1). */
export function failureOf(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const { word, status = 503 } = toldBy(error);
  const code = codeOf(word) ?? statuses[status] ?? 'unavailable';
  return new ProviderError(code, messages[code], error);
}

/**
 * Runs one call within its bounds, whether or not the client looks at the signal.
 * @throws {ProviderError} and what the caller's signal was aborted with
 */
export async function within<T>(
  { signal: given, timeoutMs }: Call,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  given?.throwIfAborted();
  const late = AbortSignal.timeout(timeoutMs);
  const signal = given ? AbortSignal.any([given, late]) : late;
  const ended = once(signal, 'abort').then(() => {
    throw signal.reason;
  });
  try {
    return await Promise.race([work(signal), ended]);
  } catch (error) {
    given?.throwIfAborted();
    if (late.aborted) throw new ProviderError('timeout', messages.timeout, error);
    throw failureOf(error);
  }
}

/** Under `account` the coordinator has no right to read what parties get. @throws {ProviderError} for an in-bucket then */
export function checkRead(bucket: string, isolation: 'nominal' | 'account'): void {
  if (isolation === 'account' && directionOf(bucket) === 'in')
    throw new ProviderError('denied', 'only the party itself may read here');
}

/** Does something that may fail with one of these codes without harm. */
export async function unless(
  codes: readonly ProviderErrorCode[],
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!codes.includes(failureOf(error).code)) throw error;
  }
}
