import type { CertificatesRpc } from '@glacis/contracts';
import {
  certificatesWire,
  RpcServer,
  served,
  ServiceCertificate,
  upstreamCertsWire,
  type UpstreamCerts,
} from '@glacis/grpc';
import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import type { CertificatesSettings } from '../settings.js';

const service = 'certificates';

export interface InternalPortParts {
  settings: CertificatesSettings;
  rpc: CertificatesRpc;
  upstream: UpstreamCerts;
  logger: Logger;
  clock: Clock;
}

/** Where other services call us (`certificates.md` 8), when there is a port for it. */
export class InternalPort implements BeforeApplicationShutdown {
  private readonly certificate: ServiceCertificate;
  private readonly server: RpcServer | undefined;

  constructor({ settings, rpc, upstream, logger, clock }: InternalPortParts) {
    const { grpcHost, grpcPort, grpcNames } = settings;
    this.certificate = new ServiceCertificate({
      service,
      names: grpcNames,
      certificates: rpc,
      clock,
    });
    if (grpcPort === undefined) return;
    this.server = new RpcServer({
      service,
      host: grpcHost,
      port: grpcPort,
      credentials: () => this.certificate.credentials(),
      resolve: (request) => rpc.resolve(request),
      methods: [...served(certificatesWire, rpc), ...served(upstreamCertsWire, upstream)],
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

  /** Opens the port with our first certificate and keeps that fresh. */
  async refresh(): Promise<void> {
    if (this.server === undefined) return;
    const fresh = await this.certificate.refresh();
    if (fresh || this.server.port === undefined) await this.server.open();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server?.close();
  }
}
