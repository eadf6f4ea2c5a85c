import {
  createGrpcServer,
  listenMutualTls,
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
import { agents, managers, type StreamFamily } from './stream-family.js';

/** What every port for streams needs. */
@Injectable()
export class ListenerParts {
  constructor(
    @Inject(SETTINGS) readonly settings: BackendsSettings,
    @Inject(ServiceCertificate) readonly certificate: ServiceCertificate,
    @Inject(Doorkeeper) readonly doorkeeper: Doorkeeper,
    @Inject(Reception) readonly reception: Reception,
    @Inject(StreamMetrics) readonly metrics: StreamMetrics,
  ) {}
}

/** A port that the clients of one family dial. It opens with the first server certificate. */
export abstract class StreamListener {
  private listener: MutualTlsListener | undefined;

  constructor(
    private readonly family: StreamFamily,
    private readonly address: { host: string; port: number },
    private readonly parts: ListenerParts,
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
    const { settings, certificate, doorkeeper } = this.parts;
    const server = createGrpcServer({ maxConcurrentStreams: 8 });
    server.addService(this.family.service, { process: (call: ServerCall) => this.process(call) });
    this.listener = await listenMutualTls({
      ...this.address,
      server,
      credentials: () => certificate.credentials(),
      handshakeLimit: { count: settings.handshakes, windowMs: 10_000 },
      minVersion: settings.tls12 ? 'TLSv1.2' : 'TLSv1.3',
      admit: (socket) => doorkeeper.admits(socket),
      onRefused: (reason) => this.countRefusal(reason),
    });
  }

  async close(): Promise<void> {
    await this.listener?.close();
  }

  private countRefusal(reason: RefusalReason): void {
    // The doorkeeper has counted whom it did not admit, and says why.
    if (reason !== 'not_admitted') this.parts.metrics.refusals.inc({ reason });
  }

  private process(call: ServerCall): void {
    const connection = this.listener?.connectionOf(call.getPeer());
    if (!connection) {
      call.emit('error', { code: status.UNAVAILABLE, details: 'connection unknown' });
      return;
    }
    void this.parts.reception.receive(new StreamCall(call, connection, this.family));
  }
}

/** The port of managers. */
@Injectable()
export class ManagerListener extends StreamListener {
  constructor(@Inject(ListenerParts) parts: ListenerParts) {
    const { managerHost: host, managerPort: port } = parts.settings;
    super(managers, { host, port }, parts);
  }
}

/** The port of agents. */
@Injectable()
export class AgentListener extends StreamListener {
  constructor(@Inject(ListenerParts) parts: ListenerParts) {
    const { agentHost: host, agentPort: port } = parts.settings;
    super(agents, { host, port }, parts);
  }
}
