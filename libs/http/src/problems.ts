import { defineProblem, type Problem } from './problem.js';

const malformed = defineProblem({
  slug: 'malformed',
  status: 400,
  title: 'Bad Request',
  message: 'malformed entity specification',
  about:
    'The path, the query or the body does not hold. `field` names the member at fault; correct it and send the request again.',
});

const unauthenticated = defineProblem({
  slug: 'unauthenticated',
  status: 401,
  title: 'Unauthorized',
  message: 'failed to perform authentication over the entity',
  about:
    'The bearer token is missing, malformed, expired, revoked or from an issuer that is not trusted. Get a new one.',
});

const forbidden = defineProblem({
  slug: 'forbidden',
  status: 403,
  title: 'Forbidden',
  message: 'failed to perform authorization over the entity',
  about: 'The token is good but names no tenant, or lacks the role that this operation needs.',
});

const notFound = defineProblem({
  slug: 'not-found',
  status: 404,
  title: 'Not Found',
  message: 'entity not found',
  about: 'No such object in the tenant of the token, or no such path.',
});

const methodNotAllowed = defineProblem({
  slug: 'method-not-allowed',
  status: 405,
  title: 'Method Not Allowed',
  message: 'method not allowed',
  about: 'The path exists but not for this verb; `Allow` lists those that it takes.',
});

const requestTimeout = defineProblem({
  slug: 'request-timeout',
  status: 408,
  title: 'Request Timeout',
  message: 'request timeout',
  about: 'The request did not arrive whole in time. Send it again over a new connection.',
});

const conflict = defineProblem({
  slug: 'conflict',
  status: 409,
  title: 'Conflict',
  message: 'entity already exists',
  about: 'The state of the object does not allow the operation. Read it again and decide anew.',
});

const preconditionFailed = defineProblem({
  slug: 'precondition-failed',
  status: 412,
  title: 'Precondition Failed',
  message: 'precondition failed',
  about:
    'The object has changed since the `ETag` of `If-Match` was read. Read it again, then repeat.',
});

const tooLarge = defineProblem({
  slug: 'too-large',
  status: 413,
  title: 'Content Too Large',
  message: 'request body too large',
  about: 'The body is longer than this operation takes (64 KiB unless stated otherwise).',
});

const mediaType = defineProblem({
  slug: 'media-type',
  status: 415,
  title: 'Unsupported Media Type',
  message: 'unsupported content type',
  about: 'The operation does not read a body of this `Content-Type`.',
});

const idempotencyMismatch = defineProblem({
  slug: 'idempotency-key-reused',
  status: 422,
  title: 'Unprocessable Content',
  message: 'idempotency key reused',
  about:
    'The `Idempotency-Key` was used within 24 hours for another request. Take a new key for a new request.',
});

const requestUnderWay = defineProblem({
  slug: 'request-under-way',
  status: 409,
  title: 'Conflict',
  message: 'request under way',
  about:
    'Another request with this `Idempotency-Key` has not been answered yet. Repeat it after the seconds of `Retry-After`.',
});

const rateLimited = defineProblem({
  slug: 'rate-limited',
  status: 429,
  title: 'Too Many Requests',
  message: 'too many requests',
  about: 'The caller is over its rate. Wait for the seconds that `Retry-After` names.',
});

const headersTooLarge = defineProblem({
  slug: 'headers-too-large',
  status: 431,
  title: 'Request Header Fields Too Large',
  message: 'request headers too large',
  about: 'The headers of the request are longer than 16 KiB.',
});

const internal = defineProblem({
  slug: 'internal',
  status: 500,
  title: 'Internal Server Error',
  message: 'internal error',
  about: 'A fault of ours. Report it with its `request_id`; the log holds the cause.',
});

const unavailable = defineProblem({
  slug: 'unavailable',
  status: 503,
  title: 'Service Unavailable',
  message: 'service unavailable',
  about: 'A dependency does not answer, and nothing was recorded. Repeat the request later.',
});

/** The errors that every service shares. */
export const problems = {
  malformed,
  unauthenticated,
  forbidden,
  notFound,
  methodNotAllowed,
  requestTimeout,
  conflict,
  preconditionFailed,
  tooLarge,
  mediaType,
  idempotencyMismatch,
  requestUnderWay,
  headersTooLarge,
  internal,
  unavailable,

  /** @param waitMs until the caller may come again; told in whole seconds, at least 1 */
  rateLimited(waitMs: number): Problem {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    return rateLimited(`over the rate limit; try again in ${seconds} s`, {
      headers: { 'retry-after': String(seconds) },
    });
  },
};
