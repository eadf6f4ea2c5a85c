import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { Client, credentials, status, type ChannelCredentials } from '@grpc/grpc-js';
import type { RpcName } from '@glacis/contracts';
import { RpcError } from '../rpc-error.js';
import type { TlsCredentials } from '../tls/mutual-tls.js';
import { asRpcError, refusalOf, unavailable } from './rpc-status.js';
import { namesService } from './service-identity.js';
import type { WireMethod } from './wire-method.js';
import { wires } from './wires.js';

export interface RemoteOptions {
  /** `host:port`; the server's certificate names the host and the service. */
  address: string;
  /**
   * Own certificate and the CAs, asked at each call: another object means new credentials. While it throws, calls
   * are UNAVAILABLE.
   */
  credentials: () => TlsCredentials;
  /** Milliseconds for a call, its repetitions included. Default 30,000. */
  deadlineMs?: number;
}

/** Calls to a service in another process. */
export class RpcChannel {
  private readonly deadlineMs: number;
  private current: { client: Client; tls: TlsCredentials } | undefined;

  constructor(
    private readonly name: RpcName,
    private readonly options: RemoteOptions,
  ) {
    this.deadlineMs = options.deadlineMs ?? 30_000;
  }

  /** @throws {RpcError} and nothing else */
  async call(methodName: string, request: unknown): Promise<unknown> {
    const method = methodsOf(this.name)[methodName];
    if (method === undefined) {
      const text = `${this.name} has no method ${methodName} for other processes`;
      throw new RpcError(status.UNIMPLEMENTED, 'unimplemented', text);
    }
    try {
      return method.decodeReply(await this.send(method.path, method.encodeRequest(request)));
    } catch (error) {
      throw asRpcError(this.name, error);
    }
  }

  /** Calls under way end by their deadline; new ones are not expected. */
  close(): void {
    this.current?.client.close();
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

  private client(): Client {
    const tls = this.tls();
    if (this.current?.tls === tls) return this.current.client;
    const old = this.current?.client;
    // By then no call of it is under way.
    if (old) setTimeout(() => old.close(), this.deadlineMs).unref();
    const client = new Client(this.options.address, channelCredentials(this.name, tls), {
      'grpc.service_config': serviceConfig(this.name),
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_channelz': 0,
    });
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

function methodsOf(name: RpcName): Partial<Record<string, WireMethod<unknown, unknown>>> {
  return wires[name];
}

function channelCredentials(name: RpcName, { ca, key, cert }: TlsCredentials): ChannelCredentials {
  return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert), {
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      checkServerIdentity(host, certificate) ??
      (namesService(certificate.raw, name) ? undefined : new Error(`the server is not ${name}`)),
  });
}

/** Only what is idempotent is sent again, and only when nobody answered (`platform.md` 6.2). */
function serviceConfig(name: RpcName): string {
  const again = Object.values(methodsOf(name)).filter((method) => method?.idempotent);
  return JSON.stringify({
    methodConfig: [
      {
        name: again.map((method) => {
          const [, service, rpc] = method?.path.split('/') ?? [];
          return { service, method: rpc };
        }),
        retryPolicy: {
          maxAttempts: 5,
          initialBackoff: '0.1s',
          maxBackoff: '5s',
          backoffMultiplier: 2,
          retryableStatusCodes: ['UNAVAILABLE'],
        },
      },
    ],
    retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
  });
}
