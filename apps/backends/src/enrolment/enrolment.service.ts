import type { CertificatesRpc, EnrolmentToken } from '@glacis/contracts';
import { RpcDirectory, RpcError, status } from '@glacis/grpc';
import { problems, type Caller } from '@glacis/http';
import { Inject, Injectable } from '@nestjs/common';
import { BackendReader, unknownBackend } from '../backends/backend-reader.js';
import { Journal } from '../journal.js';
import type { EnrolmentBody } from './enrolment.schema.js';

/** Has `certificates` make the tokens by which hosts enrol; nothing of them is kept here. */
@Injectable()
export class Enrolment {
  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(RpcDirectory) directory: RpcDirectory,
  ) {
    this.certificates = directory.client('certificates');
  }

  /** @throws {Problem} 404 unknown, 503 `certificates` does not answer */
  async createToken(caller: Caller, id: string, wish: EnrolmentBody): Promise<EnrolmentToken> {
    const { tenant, principal, requestId } = caller;
    await this.backends.get(tenant, id);
    // Recorded first: no token is in the world that the trail does not know.
    await this.journal.note({
      audit: [
        {
          actor: principal.subject,
          tenant,
          action: 'backend.enrolment_token',
          subject: id,
          requestId,
          detail: { ttl_seconds: wish.ttl, cidr: wish.cidr },
        },
      ],
    });
    return this.certificates
      .createEnrolmentToken({
        tenant,
        backendId: id,
        ttlSeconds: wish.ttl,
        cidr: wish.cidr,
        requestedBy: 'service:backends',
      })
      .catch(refused);
  }
}

function refused(cause: unknown): never {
  if (cause instanceof RpcError && cause.code === status.NOT_FOUND) throw unknownBackend();
  throw problems.unavailable('the certificate service does not answer', { cause });
}
