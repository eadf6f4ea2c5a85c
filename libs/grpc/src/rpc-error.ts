import { status } from '@grpc/grpc-js';

/**
 * A refusal of one service to another. `code` decides what a caller may do (UNAVAILABLE may be retried), `reason`
 * is the slug of the problem that REST would answer with, and the message is safe to show.
 */
export class RpcError extends Error {
  constructor(
    readonly code: status,
    readonly reason: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RpcError';
  }
}
