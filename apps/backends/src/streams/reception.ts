import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import { refusalCodes, type Refusal, type RefusalReason } from './admission.js';
import { AdmissionLog } from './admission-log.js';
import { Admitter } from './admitter.js';
import { Doorkeeper } from './doorkeeper.js';
import { LiveStream } from './live-stream.js';
import { presentedBy, type VerifiedCertificate } from './presented-certificate.js';
import { RefusedCalls } from './refused-calls.js';
import type { StreamCall } from './stream-call.js';
import { StreamHolder } from './stream-holder.js';

/** Receives a `Process` call: admitted and held, or refused with trailers only. */
@Injectable()
export class Reception {
  constructor(
    @Inject(Doorkeeper) private readonly doorkeeper: Doorkeeper,
    @Inject(Admitter) private readonly admitter: Admitter,
    @Inject(StreamHolder) private readonly holder: StreamHolder,
    @Inject(RefusedCalls) private readonly refused: RefusedCalls,
    @Inject(AdmissionLog) private readonly log: AdmissionLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async receive(call: StreamCall): Promise<void> {
    const presented = presentedBy(call.connection.socket);
    if (!presented) return this.turnAway(call, 'unknown_certificate');
    if (this.isBlocked(call, presented)) return this.turnAway(call, 'blocked');
    const refusal = await this.open(call, presented);
    if (refusal === undefined) return this.log.admitted();
    this.refuse(call, refusal.reason);
    await this.log.refused(presented, call.connection.address, refusal);
  }

  /** Known from memory alone, since a client that was refused before must cost us nothing. */
  private isBlocked({ connection }: StreamCall, { serial }: VerifiedCertificate): boolean {
    return connection.closing || this.doorkeeper.blocks(serial, connection.address);
  }

  private async open(
    call: StreamCall,
    presented: VerifiedCertificate,
  ): Promise<Refusal | undefined> {
    try {
      const admitted = await this.admitter.admit(call, presented);
      if (!(admitted instanceof LiveStream)) return admitted;
      const reason = await this.holder.hold(admitted);
      return reason && { reason, tenant: admitted.facts.tenant };
    } catch (error) {
      this.logger.warn({ err: error, serial: presented.serial }, 'admission not decided');
      return { reason: 'status_unavailable', tenant: null };
    }
  }

  private turnAway(call: StreamCall, reason: RefusalReason): void {
    this.refuse(call, reason);
    this.log.turnedAway(reason);
  }

  private refuse(call: StreamCall, reason: RefusalReason): void {
    call.refuse(refusalCodes[reason], reason.replaceAll('_', ' '));
    this.refused.note(call.connection);
  }
}
