import { types } from 'node:util';

/** Node's codes of a connection that could not be made or was cut. */
const network = new Set<unknown>([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
]);

/**
 * SQLSTATE: connection exceptions (08), operator intervention (57P), a statement that took too long (57014) or waited too
 * long for a lock (55P03), no disk, memory or connection left (53), a file that cannot be read or written (58030).
 */
const databaseGone = /^(08...|57P..|57014|55P03|53...|58030)$/;

/** SQLSTATE: a character that text or jsonb cannot hold, which is NUL. */
const unstorable = new Set<unknown>(['22021', '22P05']);

/** Status UNAVAILABLE of a gRPC call. */
const grpcUnavailable = 14;

/** What Node, pg and grpc-js put on their errors. */
interface Failure extends Error {
  code?: unknown;
  syscall?: unknown;
}

function isGone(failure: Failure): boolean {
  const { code, syscall } = failure;
  if (network.has(code) || code === grpcUnavailable) return true;
  // A Unix socket whose server is gone.
  if (code === 'ENOENT' && syscall === 'connect') return true;
  return typeof code === 'string' && databaseGone.test(code);
}

/** True when the error, or a cause of it, says that a dependency does not answer. */
export function isUnavailable(error: unknown): boolean {
  return chain(error).some(isGone);
}

/** What may be said of it: a refusal between services names the service that is away, and its text is made to be shown. */
export function unavailableDetail(error: unknown): string {
  const refusal = chain(error).find(
    ({ name, code }) => name === 'RpcError' && code === grpcUnavailable,
  );
  return refusal?.message ?? 'a dependency does not answer';
}

/** True when the database refused a character of the request. */
export function isUnstorable(error: unknown): boolean {
  return chain(error).some(({ code }) => unstorable.has(code));
}

/** The error and its causes, as far as anyone would look. */
function chain(error: unknown): Failure[] {
  const links: Failure[] = [];
  for (let at = error; types.isNativeError(at) && links.length < 8; at = at.cause) links.push(at);
  return links;
}
