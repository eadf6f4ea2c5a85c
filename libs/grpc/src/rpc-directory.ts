import { status } from '@grpc/grpc-js';
import type { RpcContracts, RpcName } from '@glacis/contracts';
import { RpcError } from './rpc-error.js';
import { RpcChannel, type RemoteOptions } from './services/rpc-channel.js';
import { asRpcError, unavailable } from './services/rpc-status.js';

type Method = (request: unknown) => Promise<unknown>;

/**
 * Where a service finds the others. A service provides its own interface at start and asks for those of others by
 * name; a client is bound at its first call, so the order in which services start does not matter.
 */
export class RpcDirectory {
  private readonly local = new Map<RpcName, object>();
  private readonly remote = new Map<RpcName, RpcChannel>();

  /** Answers calls for `name` in this process. A second provider of one name is a mistake and throws. */
  provide<K extends RpcName>(name: K, implementation: RpcContracts[K]): void {
    if (this.local.has(name)) throw new Error(`${name} is provided twice`);
    this.local.set(name, implementation);
  }

  /**
   * Sends calls for `name` to another process while nobody provides it in this one. A second address of one name is a
   * mistake and throws.
   */
  connect(name: RpcName, options: RemoteOptions): void {
    if (this.remote.has(name)) throw new Error(`${name} is connected twice`);
    this.remote.set(name, new RpcChannel(name, options));
  }

  /** Lets go of the connections to other processes. */
  close(): void {
    for (const channel of this.remote.values()) channel.close();
  }

  /**
   * Calls to `name`. Every method rejects with `RpcError` and nothing else: the provider's own, UNAVAILABLE while
   * nobody provides the service, INTERNAL with a neutral text (the cause is kept) for any other failure. A method
   * without a form on the wire is UNIMPLEMENTED in another process.
   */
  client<K extends RpcName>(name: K): RpcContracts[K] {
    const call =
      (method: string): Method =>
      async (request) => {
        const target = this.local.get(name) as Record<string, Method> | undefined;
        if (target !== undefined) return callLocal(name, method, target, request);
        const channel = this.remote.get(name);
        if (channel === undefined) throw unavailable(name);
        return channel.call(method, request);
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
    throw asRpcError(name, error);
  }
}
