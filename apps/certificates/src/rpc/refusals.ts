import { RpcError, status } from '@glacis/grpc';
import { Problem } from '@glacis/http';

/** What a problem of REST is to another service (`certificates.md` 2.4). */
const codes: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
};

/** A problem as a refusal; whatever else failed stays what it is. */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const code = error.slug === 'name-not-allowed' ? status.PERMISSION_DENIED : codes[error.status];
  return new RpcError(code ?? status.INTERNAL, error.slug, error.message, { cause: error });
}
