import { fileURLToPath } from 'node:url';
import {
  Client,
  credentials,
  loadPackageDefinition,
  type GrpcObject,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { PemPair } from './test-ca.js';

type Reply = Record<string, unknown>;
type Method = (
  request: object,
  options: object,
  done: (error: ServiceError | null, reply: Reply) => void,
) => void;

/** A generic gRPC client with the descriptors of a file, as operators use them. */
export class VmClient {
  private readonly client: Client;

  constructor(file: string, service: string, address: string, tls?: PemPair & { ca: string }) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const definition = loadPackageDefinition(loadSync(path, { keepCase: true, defaults: true }));
    const Service = service
      .split('.')
      .reduce<GrpcObject | undefined>((at, part) => at?.[part] as GrpcObject, definition);
    const channel = tls
      ? credentials.createSsl(Buffer.from(tls.ca), Buffer.from(tls.key), Buffer.from(tls.cert))
      : credentials.createInsecure();
    this.client = new (Service as unknown as typeof Client)(address, channel);
  }

  /** @throws {ServiceError} */
  call(method: string, request: object = {}): Promise<Reply> {
    const methods = this.client as unknown as Record<string, Method>;
    return new Promise((resolve, reject) => {
      methods[method]?.call(
        this.client,
        request,
        { deadline: Date.now() + 20_000 },
        (error, reply) => (error ? reject(error) : resolve(reply)),
      );
    });
  }

  /** Sends requests over one bidirectional call and gives the replies. */
  async talk(method: string, ...requests: object[]): Promise<Reply[]> {
    const open = (this.client as unknown as Record<string, () => NodeJS.ReadWriteStream>)[method];
    const call = open?.call(this.client) as NodeJS.ReadWriteStream & AsyncIterable<Reply>;
    for (const request of requests) call.write(request as never);
    call.end();
    const replies: Reply[] = [];
    for await (const reply of call) replies.push(reply);
    return replies;
  }

  close(): void {
    this.client.close();
  }
}
