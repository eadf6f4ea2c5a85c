import { status } from '@grpc/grpc-js';
import type { RpcContracts, RpcName } from '@glacis/contracts';
import { RpcError } from './rpc-error.js';
import { RpcChannel, type RemoteOptions } from './services/rpc-channel.js';
import { asRpcError, unavailable } from './services/rpc-status.js';
import type { WireMethod } from './services/wire-method.js';
import { wires } from './services/wires.js';
import type { TlsCredentials } from './tls/mutual-tls.js';

type Method = (request: unknown, signal?: AbortSignal) => unknown;
type Methods = Record<string, Method>;

/**
 * Where a service finds the others. A service provides its own interface at start and asks for those of others by
 * name; a client is bound at its first call, so the order in which services start does not matter.
 */
export class RpcDirectory {
  private readonly local = new Map<RpcName, object>();
  private readonly remote = new Map<RpcName, RpcChannel>();
  private identity: () => TlsCredentials = () => {
    throw new Error('this process has no certificate yet');
  };

  /** Answers calls for `name` in this process. A second provider of one name is a mistake and throws. */
  provide<K extends RpcName>(name: K, implementation: RpcContracts[K]): void {
    if (this.local.has(name)) throw new Error(`${name} is provided twice`);
    this.local.set(name, implementation);
  }

  /**
   * Sends calls for `name` to another process while nobody provides it in this one. A second address of one name is a
   * mistake and throws.
   * @param options without credentials: those of {@link identify}
   */
  connect(
    name: RpcName,
    options: Omit<RemoteOptions, 'credentials'> & Partial<RemoteOptions>,
  ): void {
    if (this.remote.has(name)) throw new Error(`${name} is connected twice`);
    const credentials = (): TlsCredentials => this.identity();
    this.remote.set(name, new RpcChannel(name, { credentials, ...options }));
  }

  /** Whether somebody answers for `name`, in this process or at an address. */
  knows(name: RpcName): boolean {
    return this.local.has(name) || this.remote.has(name);
  }

  /** By what this process identifies itself to others; until then its calls to them are UNAVAILABLE. */
  identify(credentials: () => TlsCredentials): void {
    this.identity = credentials;
  }

  /** Lets go of the connections to other processes. */
  close(): void {
    for (const channel of this.remote.values()) channel.close();
  }

  /**
   * Calls to `name`. Every method rejects with `RpcError` and nothing else: the provider's own, UNAVAILABLE while
   * nobody provides the service, INTERNAL with a neutral text (the cause is kept) for any other failure. A streaming
   * method gives an iterable that fails so.
   */
  client<K extends RpcName>(name: K): RpcContracts[K] {
    const streaming = wires[name] as Record<string, WireMethod<unknown, unknown> | undefined>;
    const method =
      (method: string): Method =>
      (request, signal = new AbortController().signal) =>
        streaming[method]?.streaming
          ? this.stream(name, method, request, signal)
          : this.call(name, method, request);
    return new Proxy(
      {},
      { get: (_, key) => (isMethodName(key) ? method(key) : undefined) },
    ) as RpcContracts[K];
  }

  private async call(name: RpcName, method: string, request: unknown): Promise<unknown> {
    const target = this.local.get(name);
    if (target === undefined) return this.channel(name).call(method, request);
    try {
      return await localMethod(name, target, method)(request);
    } catch (error) {
      throw asRpcError(name, error);
    }
  }

  private async *stream(
    name: RpcName,
    method: string,
    request: unknown,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void> {
    const target = this.local.get(name);
    if (target === undefined) {
      yield* this.channel(name).stream(method, request, signal);
      return;
    }
    try {
      yield* localMethod(name, target, method)(request, signal) as AsyncIterable<unknown>;
    } catch (error) {
      throw asRpcError(name, error);
    }
  }

  private channel(name: RpcName): RpcChannel {
    const channel = this.remote.get(name);
    if (channel === undefined) throw unavailable(name);
    return channel;
  }
}

/** A promise resolution looks for `then`; a client must not look like a promise. */
function isMethodName(name: string | symbol): name is string {
  return typeof name === 'string' && name !== 'then';
}

function localMethod(name: RpcName, target: object, method: string): Method {
  const implementation = (target as Methods)[method];
  if (typeof implementation === 'function') return implementation.bind(target);
  throw new RpcError(status.UNIMPLEMENTED, 'unimplemented', `${name} has no method ${method}`);
}
