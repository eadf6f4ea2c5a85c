import type { CertificatesRpc } from '@glacis/contracts';
import { backendsWire, RpcDirectory, RpcServer, served, ServiceCertificate } from '@glacis/grpc';
import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { BackendsRpcService } from './backends.rpc.js';

/** Where other services call us (`backends.md` 11), when there is a port for it. */
@Injectable()
export class InternalPort {
  private readonly server: RpcServer | undefined;

  constructor(
    @Inject(SETTINGS) { grpcHost, grpcPort }: BackendsSettings,
    @Inject(ServiceCertificate) certificate: ServiceCertificate,
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(BackendsRpcService) rpc: BackendsRpcService,
    @Inject(LOGGER) logger: Logger,
  ) {
    if (grpcPort === undefined) return;
    const certificates: CertificatesRpc = directory.client('certificates');
    this.server = new RpcServer({
      service: 'backends',
      host: grpcHost,
      port: grpcPort,
      credentials: () => certificate.credentials(),
      resolve: (request) => certificates.resolve(request),
      methods: served(backendsWire, rpc),
      onFailure: (error, path) => logger.warn({ err: error.cause, path }, 'internal call failed'),
    });
  }

  /** The port listened on; undefined until it is open. */
  get port(): number | undefined {
    return this.server?.port;
  }

  /** True when it is open, or not wanted. */
  get isReady(): boolean {
    return this.server === undefined || this.server.port !== undefined;
  }

  /** Listens, or takes the new credentials for the handshakes to come. */
  async use(): Promise<void> {
    await this.server?.open();
  }

  async close(): Promise<void> {
    await this.server?.close();
  }
}
