import { CLOCK, newId, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { BackendReader } from '../backends/backend-reader.js';
import type { Backend } from '../backends/backend.js';
import { refusalOf, type Refusal } from './admission.js';
import { CertificateCache } from './certificate-cache.js';
import { chooseDialect } from './choose-dialect.js';
import { LiveStream } from './live-stream.js';
import type { VerifiedCertificate } from './presented-certificate.js';
import type { StreamCall } from './stream-call.js';
import { StreamSlots } from './stream-slots.js';
import { agents } from './stream-family.js';
import type { ConnectionType, StreamOpening } from './stream.js';

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
  async admit(call: StreamCall, presented: VerifiedCertificate): Promise<LiveStream | Refusal> {
    const resolved = await this.certificates.resolve(presented.serial);
    const known = typeof resolved === 'string' ? undefined : resolved;
    const backend = known && (await this.backends.find(known.entityId));
    const reason = refusalOf({
      presented,
      resolved,
      backend,
      entityType: call.family.entityType,
    });
    // Without a backend there was a reason: the second test is for the compiler.
    if (reason !== undefined || backend === undefined) {
      return { reason: reason ?? 'unknown_backend', tenant: known?.tenant ?? null };
    }
    return this.takeSlot(call, this.opening(call, presented, backend));
  }

  private async takeSlot(call: StreamCall, opening: StreamOpening): Promise<LiveStream | Refusal> {
    const { dialect, ambiguous, tenant } = opening;
    // Whoever has left meanwhile would only replace the stream of one that stays.
    const taken = call.ended ? 'client_gone' : await this.slots.take(opening);
    if (typeof taken === 'string') return { reason: taken, tenant };
    return new LiveStream(taken, call, { dialect, ambiguous }, this.clock);
  }

  private opening(
    call: StreamCall,
    presented: VerifiedCertificate,
    backend: Backend,
  ): StreamOpening {
    const choice = chooseDialect(call.family, {
      pin: backend.pin,
      protocol: call.metadata('glacis-protocol'),
      userAgent: call.metadata('user-agent'),
      managerVersion: call.metadata('glacis-manager-version'),
    });
    return {
      ...choice,
      backendId: backend.id,
      connection: connectionOf(call),
      tenant: backend.tenant,
      streamId: newId(this.clock),
      serial: presented.serial,
      issuerId: presented.issuerId,
      notAfter: presented.notAfter,
      instance: instanceOf(call, backend),
      peer: call.connection.peer,
      openedAt: this.clock.now(),
    };
  }
}

/** The log forwarder of a VM announces itself; whatever else comes is its agent, or a manager. */
function connectionOf(call: StreamCall): ConnectionType {
  const forwards = call.family === agents && call.metadata('connection-type') === 'log-forwarder';
  return forwards ? 'log-forwarder' : 'main';
}

/** Agents name their VM from v0.10.2 on; all streams of an older one are of one VM. */
function instanceOf(call: StreamCall, backend: Backend): string | null {
  if (call.family === agents) return (call.metadata('job-id') ?? backend.id).slice(0, MAX_INSTANCE);
  return call.metadata('glacis-manager-instance')?.slice(0, MAX_INSTANCE) ?? null;
}
