import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import type { CertificatesRpc } from '@glacis/contracts';
import { createGrpcServer } from '../grpc-server.js';
import type { RpcError } from '../rpc-error.js';
import { listenMutualTls, type MutualTlsListener, type TlsCredentials } from '../tls/mutual-tls.js';
import { asRpcError, statusOf, unavailable } from './rpc-status.js';
import { callerOf } from './service-identity.js';
import type { Wire, WireMethod } from './wire-method.js';

type Call = ServerUnaryCall<Buffer, Buffer>;

/** A method together with what answers it. */
interface ServedMethod {
  method: WireMethod<unknown, unknown>;
  run: (request: unknown) => Promise<unknown>;
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
  /** A call failed for another reason than a refusal. Its caller is told INTERNAL and no more. */
  onFailure: (error: RpcError, path: string) => void;
}

/** The methods of an interface that travel, answered by `implementation`. */
export function served<T extends object>(wire: Wire<T>, implementation: T): ServedMethod[] {
  const target = implementation as Record<string, ServedMethod['run'] | undefined>;
  const methods = Object.entries(wire as Record<string, WireMethod<unknown, unknown>>);
  return methods.map(([name, method]) => ({
    method,
    run: async (request) => target[name]?.call(target, request),
  }));
}

/** The port on which a service answers the others: mutual TLS, and nobody but services of ours. */
export class RpcServer {
  private listener: MutualTlsListener | undefined;

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
    for (const { method, run } of this.options.methods) {
      server.register(
        method.path,
        (call: Call, answer: sendUnaryData<Buffer>) =>
          void this.answer(call, { method, run }).then(
            (reply) => answer(null, reply),
            (error: unknown) => answer(statusOf(this.refusal(error, method.path))),
          ),
        asBytes,
        asBytes,
        'unary',
      );
    }
    const { host, port, credentials } = this.options;
    this.listener = await listenMutualTls({ host, port, server, credentials });
  }

  async close(): Promise<void> {
    await this.listener?.close();
  }

  private async answer(call: Call, { method, run }: ServedMethod): Promise<Buffer> {
    const connection = this.listener?.connectionOf(call.getPeer());
    if (!connection) throw unavailable(this.options.service);
    const caller = await callerOf(connection.socket, this.options.resolve);
    const request = method.decodeRequest(call.request, caller);
    return method.encodeReply(await run(request));
  }

  private refusal(error: unknown, path: string): RpcError {
    const refusal = asRpcError(this.options.service, error);
    if (refusal !== error) this.options.onFailure(refusal, path);
    return refusal;
  }
}

/** Messages stay bytes: what cannot be decoded is INVALID_ARGUMENT, and grpc-js would say INTERNAL. */
const asBytes = (bytes: Buffer): Buffer => bytes;
