/** Node's codes of a connection that could not be made or was cut. */
const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH']);

/** SQLSTATE: connection exceptions (08), operator intervention (57P), too many connections (53300). */
const database = /^(08...|57P..|53300)$/;

/** Status UNAVAILABLE of a gRPC call. */
const grpcUnavailable = 14;

/** True when the error, or a cause of it, says that a dependency does not answer. */
export function isUnavailable(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    const { code, syscall } = at as { code?: unknown; syscall?: unknown };
    if (typeof code === 'string' && (network.has(code) || database.test(code))) return true;
    if (code === grpcUnavailable) return true;
    // A Unix socket whose server is gone.
    if (code === 'ENOENT' && syscall === 'connect') return true;
    at = at.cause;
  }
  return false;
}
