import { status } from '@grpc/grpc-js';
import type { RpcContracts, RpcName } from '@glacis/contracts';
import { RpcError } from './rpc-error.js';

type Method = (request: unknown) => Promise<unknown>;

/**
 * Where a service finds the others. A service provides its own interface at start and asks for those of others by
 * name; a client is bound at its first call, so the order in which services start does not matter.
 */
export class RpcDirectory {
  private readonly local = new Map<RpcName, object>();

  /** Answers calls for `name` in this process. A second provider of one name is a mistake and throws. */
  provide<K extends RpcName>(name: K, implementation: RpcContracts[K]): void {
    if (this.local.has(name)) throw new Error(`${name} is provided twice`);
    this.local.set(name, implementation);
  }

  /**
   * Calls to `name`. Every method rejects with `RpcError` and nothing else: the provider's own, UNAVAILABLE while
   * nobody provides the service, INTERNAL with a neutral text (the cause is kept) for any other failure.
   */
  client<K extends RpcName>(name: K): RpcContracts[K] {
    const call =
      (method: string): Method =>
      async (request) => {
        const target = this.local.get(name) as Record<string, Method> | undefined;
        if (target === undefined) {
          throw new RpcError(status.UNAVAILABLE, 'unavailable', `${name} is not available`);
        }
        return callLocal(name, method, target, request);
      };
    return new Proxy(
      {},
      { get: (_, method) => (isMethodName(method) ? call(method) : undefined) },
    ) as RpcContracts[K];
  }
}

/** A promise resolution looks for `then`; a client must not look like a promise. */
function isMethodName(name: string | symbol): name is string {
  return typeof name === 'string' && name !== 'then';
}

async function callLocal(
  name: RpcName,
  method: string,
  target: Record<string, Method>,
  request: unknown,
): Promise<unknown> {
  const implementation = target[method];
  if (typeof implementation !== 'function') {
    throw new RpcError(status.UNIMPLEMENTED, 'unimplemented', `${name} has no method ${method}`);
  }
  try {
    return await implementation.call(target, request);
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError(status.INTERNAL, 'internal', `${name} failed`, { cause: error });
  }
}
