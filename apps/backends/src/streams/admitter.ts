import { CLOCK, newId, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { BackendReader } from '../backends/backend-reader.js';
import type { Backend } from '../backends/backend.js';
import { refusalOf, type RefusalReason } from './admission.js';
import { CertificateCache } from './certificate-cache.js';
import { chooseDialect } from './choose-dialect.js';
import { LiveStream } from './live-stream.js';
import type { VerifiedCertificate } from './presented-certificate.js';
import type { StreamCall } from './stream-call.js';
import { StreamSlots } from './stream-slots.js';
import type { StreamOpening } from './stream.js';

const MAX_INSTANCE = 128;

/** Steps 4 and 5 of `backends.md` 4.2: may this client open the stream, and if so, take the slot. */
@Injectable()
export class Admitter {
  constructor(
    @Inject(CertificateCache) private readonly certificates: CertificateCache,
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(StreamSlots) private readonly slots: StreamSlots,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws when the database does not answer */
  async admit(
    call: StreamCall,
    presented: VerifiedCertificate,
  ): Promise<LiveStream | RefusalReason> {
    const resolved = await this.certificates.resolve(presented.serial);
    const named = typeof resolved === 'string' ? undefined : resolved.entityId;
    const backend = named === undefined ? undefined : await this.backends.find(named);
    const refusal = refusalOf({ presented, resolved, backend });
    if (refusal !== undefined) return refusal;
    // Only for the compiler: without a backend there was a refusal.
    if (backend === undefined) return 'unknown_backend';
    const opening = this.opening(call, presented, backend);
    const taken = await this.slots.take(opening);
    if (typeof taken === 'string') return taken;
    const { dialect, ambiguous } = opening;
    return new LiveStream(taken, call, { dialect, ambiguous }, this.clock);
  }

  private opening(
    call: StreamCall,
    presented: VerifiedCertificate,
    backend: Backend,
  ): StreamOpening {
    const choice = chooseDialect({
      pin: backend.pin,
      protocol: call.metadata('glacis-protocol'),
      userAgent: call.metadata('user-agent'),
      managerVersion: call.metadata('glacis-manager-version'),
    });
    const instance = call.metadata('glacis-manager-instance')?.slice(0, MAX_INSTANCE);
    return {
      ...choice,
      backendId: backend.id,
      tenant: backend.tenant,
      streamId: newId(this.clock),
      serial: presented.serial,
      issuerId: presented.issuerId,
      notAfter: presented.notAfter,
      instance: instance ?? null,
      peer: call.connection.peer,
      openedAt: this.clock.now(),
    };
  }
}
