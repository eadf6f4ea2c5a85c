import { Client, status } from '@grpc/grpc-js';
import type { IssueServiceRequest, RpcName } from '@glacis/contracts';
import { RpcError } from '../rpc-error.js';
import type { TlsCredentials } from '../tls/mutual-tls.js';
import { targetOf } from './address-list.js';
import { channelCredentials, channelOptions } from './channel-options.js';
import { joinAny } from './join/join-client.js';
import { asRpcError, refusalOf, unavailable } from './rpc-status.js';
import type { WireMethod } from './wire-method.js';
import { wires } from './wires.js';

export interface RemoteOptions {
  /**
   * `host:port` of its replicas, comma-separated; a name stands for all of its addresses. Their certificates name the
   * service.
   */
  address: string;
  /**
   * Own certificate and the CAs, asked at each call: another object means new credentials. While it throws, calls
   * are UNAVAILABLE.
   */
  credentials: () => TlsCredentials;
  /** By which `certificates` issues for us while we hold no certificate that counts. Default: it does not. */
  joinToken?: Buffer;
  /** Milliseconds for a call, its repetitions included; streams have no bound. Default 30,000. */
  deadlineMs?: number;
}

/** Calls to a service in another process. */
export class RpcChannel {
  private readonly deadlineMs: number;
  private readonly methods: Partial<Record<string, WireMethod<unknown, unknown>>>;
  private current: { client: Client; tls: TlsCredentials } | undefined;

  constructor(
    private readonly name: RpcName,
    private readonly options: RemoteOptions,
  ) {
    this.deadlineMs = options.deadlineMs ?? 30_000;
    this.methods = wires[name];
  }

  /** @throws {RpcError} and nothing else */
  async call(methodName: string, request: unknown): Promise<unknown> {
    try {
      const method = this.method(methodName);
      return method.decodeReply(await this.send(method.path, method.encodeRequest(request)));
    } catch (error) {
      const refusal = asRpcError(this.name, error);
      if (!this.joins(methodName, refusal)) throw refusal;
      return this.join(request as IssueServiceRequest, refusal);
    }
  }

  /** The items of a streaming method, at the speed at which they are taken. Ends with the signal. */
  async *stream(
    methodName: string,
    request: unknown,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void> {
    const method = this.method(methodName);
    const bytes = method.encodeRequest(request);
    const call = this.client().makeServerStreamRequest(method.path, asBytes, asBytes, bytes);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel);
    try {
      if (signal.aborted) return;
      for await (const item of call) yield method.decodeReply(item as Buffer);
    } catch (error) {
      if (!signal.aborted) throw refusalOf(this.name, error);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  /** Calls under way end by their deadline; new ones are not expected. */
  close(): void {
    this.current?.client.close();
  }

  private method(methodName: string): WireMethod<unknown, unknown> {
    const method = this.methods[methodName];
    if (method !== undefined) return method;
    const text = `${this.name} has no method ${methodName}`;
    throw new RpcError(status.UNIMPLEMENTED, 'unimplemented', text);
  }

  private send(path: string, request: Buffer): Promise<Buffer> {
    const client = this.client();
    const deadline = Date.now() + this.deadlineMs;
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, asBytes, asBytes, request, { deadline }, (error, reply) => {
        if (error) reject(refusalOf(this.name, error));
        else resolve(reply ?? Buffer.alloc(0));
      });
    });
  }

  /** Our certificate is not there yet, or nobody accepts it: another is had by the join token (`certificates.md` 5). */
  private joins(methodName: string, { code }: RpcError): boolean {
    const notLetIn = code === status.UNAVAILABLE || code === status.UNAUTHENTICATED;
    return methodName === 'issueService' && this.options.joinToken !== undefined && notLetIn;
  }

  private async join(request: IssueServiceRequest, refusal: RpcError): Promise<unknown> {
    const { address, joinToken: token = Buffer.alloc(0) } = this.options;
    try {
      return await joinAny(address, { token, request, deadlineMs: this.deadlineMs });
    } catch (error) {
      throw error instanceof RpcError ? error : unavailable(this.name, refusal);
    }
  }

  private client(): Client {
    const tls = this.tls();
    if (this.current?.tls === tls) return this.current.client;
    const old = this.current?.client;
    // By then no call of it is under way; streams go on over their connection.
    if (old) setTimeout(() => old.close(), this.deadlineMs).unref();
    const methods = Object.values(this.methods).filter((method) => method !== undefined);
    const client = new Client(
      targetOf(this.options.address),
      channelCredentials(this.name, tls),
      channelOptions(this.name, methods),
    );
    this.current = { client, tls };
    return client;
  }

  private tls(): TlsCredentials {
    try {
      return this.options.credentials();
    } catch (error) {
      throw unavailable(this.name, error);
    }
  }
}

const asBytes = (bytes: Buffer): Buffer => bytes;
