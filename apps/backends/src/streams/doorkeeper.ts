import type { TLSSocket } from 'node:tls';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { RefusalReason } from './admission.js';
import { StreamMetrics } from './metrics.js';
import { presentedBy } from './presented-certificate.js';
import { AdmissionLog, type DropReason } from './admission-log.js';
import { RefusedClients } from './refused-clients.js';
import { RefusedSet } from './refused-set.js';

/** Step 3 of `backends.md` 4.2: after the handshake, before any HTTP/2, from local knowledge alone. */
@Injectable()
export class Doorkeeper {
  constructor(
    @Inject(RefusedSet) private readonly refused: RefusedSet,
    @Inject(RefusedClients) private readonly clients: RefusedClients,
    @Inject(AdmissionLog) private readonly log: AdmissionLog,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** False: the socket is to be destroyed. */
  admits(socket: TLSSocket): boolean {
    const presented = presentedBy(socket);
    if (!presented) return false;
    const now = this.clock.now();
    const address = socket.remoteAddress ?? '';
    if (this.blocks(presented.serial, address)) return this.refuse('blocked');
    const holds = presented.notBefore <= now && now < presented.notAfter;
    if (holds && !this.refused.refuses(presented)) return true;
    const reason = holds ? 'refused_set' : 'not_valid_now';
    void this.log.dropped(presented, address, reason);
    return this.refuse(reason);
  }

  /** The client was refused too often, on whichever connection. */
  blocks(serial: string, address: string): boolean {
    return this.clients.isBlocked({ serial, address });
  }

  /** The same of a stream that is about to open, as its admission took time. */
  lateRefusal(certificate: {
    serial: string;
    issuerId: string;
    notAfter: Date;
  }): RefusalReason | undefined {
    if (this.refused.refuses(certificate)) return 'revoked';
    return certificate.notAfter <= this.clock.now() ? 'expired' : undefined;
  }

  private refuse(reason: DropReason | 'blocked'): false {
    this.metrics.refusals.inc({ reason });
    return false;
  }
}
