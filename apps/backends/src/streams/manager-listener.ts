import {
  createGrpcServer,
  listenMutualTls,
  managerService,
  ServiceCertificate,
  status,
  type MutualTlsListener,
  type RefusalReason,
} from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { Doorkeeper } from './doorkeeper.js';
import { StreamMetrics } from './metrics.js';
import { Reception } from './reception.js';
import { StreamCall, type ServerCall } from './stream-call.js';

/** The port that managers dial. It opens with the first server certificate. */
@Injectable()
export class ManagerListener {
  private listener: MutualTlsListener | undefined;

  constructor(
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
    @Inject(ServiceCertificate) private readonly certificate: ServiceCertificate,
    @Inject(Doorkeeper) private readonly doorkeeper: Doorkeeper,
    @Inject(Reception) private readonly reception: Reception,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
  ) {}

  /** The port listened on; undefined while there is no server certificate. */
  get port(): number | undefined {
    return this.listener?.port;
  }

  /** Listens, or takes the new credentials for the handshakes to come; live streams go on. */
  async use(): Promise<void> {
    if (this.listener) {
      this.listener.renew();
      return;
    }
    const server = createGrpcServer({ maxConcurrentStreams: 8 });
    server.addService(managerService, { process: (call: ServerCall) => this.process(call) });
    this.listener = await listenMutualTls({
      host: this.settings.managerHost,
      port: this.settings.managerPort,
      server,
      credentials: () => this.certificate.credentials(),
      handshakeLimit: { count: this.settings.handshakes, windowMs: 10_000 },
      minVersion: this.settings.tls12 ? 'TLSv1.2' : 'TLSv1.3',
      admit: (socket) => this.doorkeeper.admits(socket),
      onRefused: (reason) => this.countRefusal(reason),
    });
  }

  async close(): Promise<void> {
    await this.listener?.close();
  }

  private countRefusal(reason: RefusalReason): void {
    // The doorkeeper has counted whom it did not admit, and says why.
    if (reason !== 'not_admitted') this.metrics.refusals.inc({ reason });
  }

  private process(call: ServerCall): void {
    const connection = this.listener?.connectionOf(call.getPeer());
    if (!connection) {
      call.emit('error', { code: status.UNAVAILABLE, details: 'connection unknown' });
      return;
    }
    void this.reception.receive(new StreamCall(call, connection));
  }
}
