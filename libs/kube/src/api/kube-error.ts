/**
 * What an API call failed with. The caller branches on this, never on a message.
 *
 * | code | when | what to do |
 * |---|---|---|
 * | notFound | no such object, or no such resource type | take it as absent |
 * | alreadyExists | a create met an object of that name | read it |
 * | conflict | the object changed since it was read, or a precondition or field manager stands against it | read again, decide again |
 * | unauthorized, forbidden | the credentials or their rights do not suffice | a person must act; retry slowly |
 * | invalid | the API server refuses what was sent | mend the object; a retry cannot help |
 * | gone | the resource version or continue token is too old | list again |
 * | unavailable | no connection, 429, 5xx, or an answer that broke off | retry after `retryAfterMs` or with back-off |
 * | timeout | no answer in time: the outcome of a write is unknown | read before writing again |
 * | fenced | the term of the leader has ended: nothing was sent | stop |
 * | notConfigured | there is no kubeconfig that could be used | a person must act |
 */
export type KubeErrorCode =
  | 'notFound'
  | 'alreadyExists'
  | 'conflict'
  | 'unauthorized'
  | 'forbidden'
  | 'invalid'
  | 'gone'
  | 'unavailable'
  | 'timeout'
  | 'fenced'
  | 'notConfigured';

/** One of several reasons, as admission webhooks and the API server's own checks name them. */
export interface KubeCause {
  /** Code of the rule, or a reason of the API such as `FieldValueInvalid`. */
  reason?: string;
  /** What of the object it is about, in the words of whoever refused it. */
  field?: string;
  message?: string;
}

export interface KubeErrorDetails {
  /** HTTP status, where the API server has answered. */
  status?: number;
  /** Milliseconds to wait before the next try, if the API server named them. */
  retryAfterMs?: number;
  /** `details.causes` of the answer, where there are some. */
  causes?: readonly KubeCause[];
  cause?: unknown;
}

/** A failed call of the Kubernetes API. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly causes: readonly KubeCause[];

  constructor(
    readonly code: KubeErrorCode,
    message: string,
    details: KubeErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.causes = details.causes ?? [];
  }
}

/** Whether an error is a `KubeError` of one of these codes. */
export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** The `Status` object that the API server answers instead of what was asked for (meta/v1). */
export interface KubeStatus {
  message?: string;
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number; causes?: KubeCause[] };
}

/** Enough for what a webhook says of a graph; what is written elsewhere is cut there. */
const maxMessageLength = 8192;

/**
 * @param status HTTP status
 * @param retryAfterSeconds of the header `Retry-After`; the body's own counts first
 */
export function errorOfStatus(
  status: number,
  body: KubeStatus,
  retryAfterSeconds?: number,
): KubeError {
  const seconds = body.details?.retryAfterSeconds ?? retryAfterSeconds;
  const message = (body.message ?? `the API server answered ${status}`).slice(0, maxMessageLength);
  return new KubeError(codeOf(status, body.reason), message, {
    status,
    causes: body.details?.causes,
    ...(seconds !== undefined && { retryAfterMs: seconds * 1000 }),
  });
}

const codes: Record<number, KubeErrorCode> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  410: 'gone',
  429: 'unavailable',
  504: 'timeout',
};

function codeOf(status: number, reason: string | undefined): KubeErrorCode {
  if (reason === 'AlreadyExists') return 'alreadyExists';
  return codes[status] ?? (status >= 500 ? 'unavailable' : 'invalid');
}
