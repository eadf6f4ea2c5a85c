import { once } from 'node:events';
import type { sendUnaryData, Server, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { CertificatesRpc } from '@glacis/contracts';
import { createGrpcServer } from '../grpc-server.js';
import type { RpcError } from '../rpc-error.js';
import { listenMutualTls, type MutualTlsListener, type TlsCredentials } from '../tls/mutual-tls.js';
import type { PeerConnection } from '../tls/connection.js';
import { joinPath } from './join/join-client.js';
import { answerJoin, type JoinDoor } from './join/join-server.js';
import { asRpcError, statusOf, unavailable } from './rpc-status.js';
import { callerOf } from './service-identity.js';
import type { Wire, WireMethod } from './wire-method.js';

type Call = ServerUnaryCall<Buffer, Buffer>;
type StreamCall = ServerWritableStream<Buffer, Buffer>;

/** A method together with what answers it: with a promise, or with an iterable when it streams. */
interface ServedMethod {
  method: WireMethod<unknown, unknown>;
  run: (request: unknown, signal: AbortSignal) => unknown;
}

export interface RpcServerOptions {
  /** Name of the service, for neutral texts. */
  service: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Read when the port opens and at each `renew()`. */
  credentials: () => TlsCredentials;
  /** What is told of a caller's serial; asked at every call, as a revocation counts at once. */
  resolve: CertificatesRpc['resolve'];
  methods: readonly ServedMethod[];
  /** Lets services join. Default: without a certificate there is nothing here. */
  join?: JoinDoor;
  /** Milliseconds after which a stream ends, as its caller is looked at only when it begins. Default 300,000. */
  streamLimitMs?: number;
  /** A call failed for another reason than a refusal. Its caller is told INTERNAL and no more. */
  onFailure: (error: RpcError, path: string) => void;
}

/** The methods of an interface, answered by `implementation`. */
export function served<T extends object>(wire: Wire<T>, implementation: T): ServedMethod[] {
  const target = implementation as Record<string, ServedMethod['run'] | undefined>;
  const methods = Object.entries(wire as Record<string, WireMethod<unknown, unknown>>);
  return methods.map(([name, method]) => ({
    method,
    run: (request, signal) => target[name]?.call(target, request, signal),
  }));
}

/** The port on which a service answers the others: mutual TLS, and nobody but services of ours. */
export class RpcServer {
  private listener: MutualTlsListener | undefined;
  private readonly closing = new AbortController();

  constructor(private readonly options: RpcServerOptions) {}

  /** The port listened on; undefined before `open`. */
  get port(): number | undefined {
    return this.listener?.port;
  }

  /** Opens the port; when it is open, takes the new credentials for the handshakes to come. */
  async open(): Promise<void> {
    if (this.listener) {
      this.listener.renew();
      return;
    }
    const server = createGrpcServer();
    const { host, port, credentials, join, methods } = this.options;
    for (const each of methods) this.register(server, each);
    if (join) this.registerUnary(server, joinPath, (call) => this.join(join, call));
    const clientCertificate = join ? 'asked' : 'demanded';
    this.listener = await listenMutualTls({ host, port, server, credentials, clientCertificate });
  }

  /** Streams end, calls under way have a second. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.listener?.close();
  }

  private register(server: Server, { method, run }: ServedMethod): void {
    const { path } = method;
    if (!method.streaming) {
      this.registerUnary(server, path, async (call) => {
        const request = await this.requestOf(call, method);
        return method.encodeReply(await run(request, this.closing.signal));
      });
      return;
    }
    const handler = (call: StreamCall): void =>
      void this.pour(call, { method, run }).catch((error: unknown) =>
        call.emit('error', statusOf(this.refusal(error, path))),
      );
    server.register(path, handler, asBytes, asBytes, 'serverStream');
  }

  private registerUnary(
    server: Server,
    path: string,
    answer: (call: Call) => Promise<Buffer>,
  ): void {
    const handler = (call: Call, send: sendUnaryData<Buffer>): void =>
      void answer(call).then(
        (reply) => send(null, reply),
        (error: unknown) => send(statusOf(this.refusal(error, path))),
      );
    server.register(path, handler, asBytes, asBytes, 'unary');
  }

  /** Items go out at the speed at which the client takes them. */
  private async pour(call: StreamCall, { method, run }: ServedMethod): Promise<void> {
    const limit = AbortSignal.timeout(this.options.streamLimitMs ?? 300_000);
    const gone = new AbortController();
    call.once('cancelled', () => gone.abort()).once('close', () => gone.abort());
    const signal = AbortSignal.any([limit, gone.signal, this.closing.signal]);
    const request = await this.requestOf(call, method);
    for await (const item of run(request, signal) as AsyncIterable<unknown>) {
      if (signal.aborted) break;
      if (!call.write(method.encodeReply(item))) {
        await once(call, 'drain', { signal }).catch(() => undefined);
      }
    }
    call.end();
  }

  private async requestOf(
    call: Call | StreamCall,
    method: WireMethod<unknown, unknown>,
  ): Promise<unknown> {
    const { socket } = this.connectionOf(call);
    const caller = await callerOf(socket, this.options.resolve);
    return method.decodeRequest(call.request, caller);
  }

  private join(door: JoinDoor, call: Call): Promise<Buffer> {
    return answerJoin(door, this.connectionOf(call), call.request);
  }

  private connectionOf(call: Call | StreamCall): PeerConnection {
    const connection = this.listener?.connectionOf(call.getPeer());
    if (!connection) throw unavailable(this.options.service);
    return connection;
  }

  private refusal(error: unknown, path: string): RpcError {
    const refusal = asRpcError(this.options.service, error);
    if (refusal !== error) this.options.onFailure(refusal, path);
    return refusal;
  }
}

/** Messages stay bytes: what cannot be decoded is INVALID_ARGUMENT, and grpc-js would say INTERNAL. */
const asBytes = (bytes: Buffer): Buffer => bytes;
