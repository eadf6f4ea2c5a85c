import type { CertificatesRpc } from '@glacis/contracts';
import {
  certificatesWire,
  RpcServer,
  served,
  ServiceCertificate,
  upstreamCertsWire,
  type JoinDoor,
  type RpcDirectory,
  type UpstreamCerts,
} from '@glacis/grpc';
import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import type { Joining } from '../joining/joining.service.js';
import type { CertificatesSettings } from '../settings.js';

const service = 'certificates';

export interface InternalPortParts {
  settings: CertificatesSettings;
  directory: RpcDirectory;
  rpc: CertificatesRpc;
  upstream: UpstreamCerts;
  joining: Joining;
  /** Absent: nobody joins. */
  joinToken: Buffer | undefined;
  logger: Logger;
  clock: Clock;
}

/** Where other services call us (`certificates.md` 8), when there is a port for it. */
export class InternalPort implements BeforeApplicationShutdown {
  private readonly certificate: ServiceCertificate;
  private readonly server: RpcServer | undefined;

  constructor(parts: InternalPortParts) {
    const { settings, rpc, upstream, logger, clock } = parts;
    const { grpcHost, grpcPort, grpcNames } = settings;
    this.certificate = new ServiceCertificate({
      service,
      names: grpcNames,
      certificates: rpc,
      clock,
    });
    parts.directory.identify(() => this.certificate.credentials());
    if (grpcPort === undefined) return;
    this.server = new RpcServer({
      service,
      host: grpcHost,
      port: grpcPort,
      credentials: () => this.certificate.credentials(),
      resolve: (request) => rpc.resolve(request),
      methods: [...served(certificatesWire, rpc), ...served(upstreamCertsWire, upstream)],
      join: joinDoor(parts),
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
    while (await this.certificate.refresh()) await this.server.open();
    if (this.server.port === undefined) await this.server.open();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server?.close();
  }
}

function joinDoor({ joining, joinToken: token }: InternalPortParts): JoinDoor | undefined {
  return token && { token, admit: (request, address) => joining.admit(request, address) };
}
