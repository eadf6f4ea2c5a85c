import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import { refusalCodes, type RefusalReason } from './admission.js';
import { Admitter } from './admitter.js';
import { LiveStream } from './live-stream.js';
import { presentedBy, type VerifiedCertificate } from './presented-certificate.js';
import { AdmissionLog } from './admission-log.js';
import type { StreamCall } from './stream-call.js';
import { StreamHolder } from './stream-holder.js';

/** Receives a `Process` call: admitted and held, or refused with trailers only. */
@Injectable()
export class Reception {
  constructor(
    @Inject(Admitter) private readonly admitter: Admitter,
    @Inject(StreamHolder) private readonly holder: StreamHolder,
    @Inject(AdmissionLog) private readonly log: AdmissionLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async receive(call: StreamCall): Promise<void> {
    const presented = presentedBy(call.connection.socket);
    if (!presented) return this.refuse(call, 'unknown_certificate');
    const refusal = await this.open(call, presented);
    if (refusal === undefined) return this.log.admitted();
    this.refuse(call, refusal);
    await this.log.refused(presented, call.connection.address, refusal);
  }

  private async open(
    call: StreamCall,
    presented: VerifiedCertificate,
  ): Promise<RefusalReason | undefined> {
    try {
      const admitted = await this.admitter.admit(call, presented);
      return admitted instanceof LiveStream ? await this.holder.hold(admitted) : admitted;
    } catch (error) {
      this.logger.warn({ err: error, serial: presented.serial }, 'admission not decided');
      return 'status_unavailable';
    }
  }

  private refuse(call: StreamCall, reason: RefusalReason): void {
    call.refuse(refusalCodes[reason], reason.replaceAll('_', ' '));
  }
}
