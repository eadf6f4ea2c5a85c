import type { TLSSocket } from 'node:tls';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { RefusalReason } from './admission.js';
import { StreamMetrics } from './metrics.js';
import { presentedBy } from './presented-certificate.js';
import { RefusedClients } from './refused-clients.js';
import { RefusedSet } from './refused-set.js';

/** Step 3 of `backends.md` 4.2: after the handshake, before any HTTP/2, from local knowledge alone. */
@Injectable()
export class Doorkeeper {
  constructor(
    @Inject(RefusedSet) private readonly refused: RefusedSet,
    @Inject(RefusedClients) private readonly clients: RefusedClients,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** False: the socket is to be destroyed. */
  admits(socket: TLSSocket): boolean {
    const presented = presentedBy(socket);
    if (!presented) return false;
    const now = this.clock.now();
    const client = { serial: presented.serial, address: socket.remoteAddress ?? '' };
    if (this.clients.isBlocked(client)) return this.refuse('blocked');
    const holds = presented.notBefore <= now && now < presented.notAfter;
    if (holds && !this.refused.refuses(presented)) return true;
    void this.clients.note(client);
    return this.refuse(holds ? 'refused_set' : 'not_valid_now');
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

  private refuse(reason: string): false {
    this.metrics.refusals.inc({ reason });
    return false;
  }
}
