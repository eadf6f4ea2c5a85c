import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { RpcError } from '../rpc-error.js';

/** Trailer with the slug of the refusal; a status without it comes from the transport. */
const REASON = 'glacis-reason';

/** Any failure of `name` as a refusal: one that is no `RpcError` is INTERNAL with a neutral text, its cause kept. */
export function asRpcError(name: string, error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError(status.INTERNAL, 'internal', `${name} failed`, { cause: error });
}

export const unavailable = (name: string, cause?: unknown): RpcError =>
  new RpcError(status.UNAVAILABLE, 'unavailable', `${name} is not available`, { cause });

/** What the wire carries of a refusal. */
export function statusOf(error: RpcError): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const metadata = new Metadata();
  metadata.set(REASON, error.reason);
  return { code: error.code, details: error.message, metadata };
}

/** The refusal that a status carries; what the transport says of itself stays in the cause. */
export function refusalOf(name: string, error: unknown): RpcError {
  return isStatus(error) ? refusalOfStatus(name, error) : asRpcError(name, error);
}

function isStatus(error: unknown): error is ServiceError {
  return error instanceof Error && 'metadata' in error;
}

function refusalOfStatus(name: string, error: ServiceError): RpcError {
  const [reason] = error.metadata.get(REASON);
  if (reason !== undefined) return new RpcError(error.code, String(reason), error.details);
  if (error.code === status.UNAVAILABLE) return unavailable(name, error);
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new RpcError(error.code, 'unavailable', `${name} did not answer in time`, {
      cause: error,
    });
  }
  return new RpcError(error.code, 'internal', `${name} failed`, { cause: error });
}
