import {
  certificateLoop,
  gatewayWire,
  RpcDirectory,
  RpcServer,
  served,
  ServiceCertificate,
} from '@glacis/grpc';
import { Health, LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, systemClock, type Clock, type Loop } from '@glacis/runtime';
import {
  Inject,
  Injectable,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { GatewayRpcService } from './gateway.rpc.js';

const service = 'gateway';

/** For so long a door that starts waits for the port; then it serves what goes without (`certificates` is away). */
const waitMs = 30_000;

/** Where other services call us, when there is a port for it. */
@Injectable()
export class InternalPort implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly opened: { server: RpcServer; loop: Loop } | undefined;

  constructor(
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
    @Inject(RpcDirectory) private readonly directory: RpcDirectory,
    @Inject(GatewayRpcService) private readonly rpc: GatewayRpcService,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Health) health: Health,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {
    directory.provide(service, rpc);
    const { grpcPort } = settings;
    if (grpcPort === undefined) return;
    this.opened = this.prepare({ ...settings, grpcPort });
    const waitUntil = clock.now().getTime() + waitMs;
    const essential = (): boolean => clock.now().getTime() < waitUntil;
    health.add('gateway internal port', () => this.check(), { essential });
  }

  /** The port listened on; undefined until it is open. */
  get port(): number | undefined {
    return this.opened?.server.port;
  }

  onApplicationBootstrap(): void {
    this.opened?.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.opened?.loop.stop();
    await this.opened?.server.close();
  }

  private prepare(settings: GatewaySettings & { grpcPort: number }): {
    server: RpcServer;
    loop: Loop;
  } {
    const { directory, rpc, logger, clock } = this;
    const { grpcHost: host, grpcPort: port, grpcNames: names } = settings;
    const certificates = directory.client('certificates');
    const certificate = new ServiceCertificate({ service, names, certificates, clock });
    directory.identify(() => certificate.credentials());
    const server = new RpcServer({
      service,
      host,
      port,
      credentials: () => certificate.credentials(),
      resolve: (request) => certificates.resolve(request),
      methods: served(gatewayWire, rpc),
      onFailure: (error, path) => logger.warn({ err: error.cause, path }, 'internal call failed'),
    });
    const onError = (err: unknown): void => logger.warn({ err }, 'no certificate of our own');
    const use = (): Promise<void> => server.open();
    return { server, loop: certificateLoop({ certificate, use, clock, onError }) };
  }

  private check(): void {
    if (this.port === undefined) throw new Error('no server certificate yet');
  }
}
