import { ServiceCertificate } from '@glacis/grpc';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { InternalPort } from '../rpc/internal-port.js';
import { AgentListener, ManagerListener, type StreamListener } from '../streams/stream-listener.js';
import type { Duty } from './duty.js';

const CHECK_MS = 60_000;

/** Gets our server certificate and the CA bundle, keeps both fresh, and opens the ports with the first. */
@Injectable()
export class Credentials implements Duty {
  readonly name = 'server certificate';
  /** Short, as the certificate service may start after us; a fresh certificate is looked after once a minute. */
  readonly intervalMs = 500;
  private nextCheck = 0;
  private readonly listeners: readonly StreamListener[];

  constructor(
    @Inject(ServiceCertificate) private readonly certificate: ServiceCertificate,
    @Inject(ManagerListener) managers: ManagerListener,
    @Inject(AgentListener) agents: AgentListener,
    @Inject(InternalPort) private readonly internal: InternalPort,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.listeners = [managers, agents];
  }

  /** The CAs have changed. */
  checkSoon(): void {
    this.nextCheck = 0;
  }

  async run(): Promise<void> {
    const now = this.clock.now().getTime();
    if (now < this.nextCheck) return;
    while (await this.certificate.refresh()) await this.use();
    const closed = this.listeners.some((listener) => listener.port === undefined);
    if (closed || !this.internal.isReady) await this.use();
    this.nextCheck = now + CHECK_MS;
  }

  private async use(): Promise<void> {
    for (const listener of this.listeners) await listener.use();
    await this.internal.use();
  }
}
