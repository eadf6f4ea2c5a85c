import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import type { PresentedCertificate, RefusalReason } from './admission.js';
import { StreamMetrics } from './metrics.js';
import { RefusedClients } from './refused-clients.js';

/** Refusals that say nothing about the certificate: who comes back after them does no wrong. */
const blameless: ReadonlySet<RefusalReason> = new Set([
  'status_unavailable',
  'shutting_down',
  'reconnect_limit',
]);

/** Counts who was admitted, and remembers who was refused and why. */
@Injectable()
export class AdmissionLog {
  constructor(
    @Inject(Journal) private readonly journal: Journal,
    @Inject(RefusedClients) private readonly clients: RefusedClients,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  admitted(): void {
    this.metrics.opens.inc({ result: 'admitted' });
  }

  /** Never fails: the refusal stands whether it can be recorded or not. */
  async refused(
    presented: PresentedCertificate,
    address: string,
    reason: RefusalReason,
  ): Promise<void> {
    this.metrics.opens.inc({ result: reason });
    if (reason === 'reconnect_limit') this.metrics.refusals.inc({ reason });
    const { serial } = presented;
    if (!blameless.has(reason)) await this.clients.note({ serial, address });
    await this.audit(presented, address, reason);
  }

  private async audit(
    presented: PresentedCertificate,
    address: string,
    reason: RefusalReason,
  ): Promise<void> {
    const entry = {
      actor: `certificate:${presented.serial}`,
      tenant: null,
      action: 'stream.open',
      subject: presented.serial,
      detail: { result: reason, issuer_id: presented.issuerId, address },
    };
    try {
      await this.journal.note({ audit: [entry] });
    } catch (error) {
      this.logger.warn({ err: error, ...entry.detail }, 'refusal not audited');
    }
  }
}
