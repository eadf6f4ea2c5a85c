import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { CertificatesRpc } from '@glacis/contracts';
import { createMutualHttps, renewCredentials, ServiceCertificate } from '@glacis/grpc';
import { equipServer } from '@glacis/http';
import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import fastify, { type FastifyInstance } from 'fastify';
import type { CertificatesSettings } from '../settings.js';
import { addEstRoutes, type EstParts } from './est-routes.js';

const bodyLimit = 65_536;

export interface EstPortParts extends EstParts {
  settings: CertificatesSettings;
  rpc: CertificatesRpc;
  logger: Logger;
  clock: Clock;
}

/** Where hosts enrol and renew (`certificates.md` 3.3), when there is a port for it. */
export class EstPort implements BeforeApplicationShutdown {
  private readonly certificate: ServiceCertificate;
  private app: FastifyInstance | undefined;
  private server: Server | undefined;

  constructor(private readonly parts: EstPortParts) {
    const { settings, rpc, clock } = parts;
    this.certificate = new ServiceCertificate({
      service: 'certificates',
      names: settings.estNames,
      certificates: rpc,
      clock,
    });
  }

  /** The port listened on; undefined until it is open. */
  get port(): number | undefined {
    return this.server?.listening ? (this.server.address() as AddressInfo).port : undefined;
  }

  /** True when it is open, or not wanted. */
  get isReady(): boolean {
    return this.parts.settings.estPort === undefined || this.port !== undefined;
  }

  /** Opens the port with our first certificate and keeps that fresh. */
  async refresh(): Promise<void> {
    const { estPort: port, estHost: host } = this.parts.settings;
    if (port === undefined) return;
    const fresh = await this.certificate.refresh();
    if (this.port === undefined) await this.open(host, port);
    else if (fresh && this.server) renewCredentials(this.server, this.certificate.credentials());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.app?.close();
  }

  private async open(host: string, port: number): Promise<void> {
    const app = fastify({
      bodyLimit,
      exposeHeadRoutes: false,
      forceCloseConnections: true,
      serverFactory: (handler) => {
        const credentials = (): ReturnType<ServiceCertificate['credentials']> =>
          this.certificate.credentials();
        this.server = createMutualHttps({ credentials }, handler);
        return this.server;
      },
    });
    equipServer(app, this.parts.logger);
    addEstRoutes(app, this.parts);
    await app.listen({ host, port });
    this.app = app;
  }
}
