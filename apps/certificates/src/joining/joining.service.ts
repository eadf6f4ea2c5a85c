import type { IssuedService, IssueServiceRequest } from '@glacis/contracts';
import { notProved, RpcError, status } from '@glacis/grpc';
import type { Audit } from '@glacis/identity';
import { TokenBuckets } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { ServiceIssuing } from '../issuing/service-issuing.service.js';
import { asRefusal } from '../rpc/refusals.js';
import type { CertificatesSettings } from '../settings.js';

export interface JoiningParts {
  settings: Pick<CertificatesSettings, 'joinServices'>;
  store: Store;
  audit: Audit;
  serviceIssuing: ServiceIssuing;
}

/** Failed tries of one address: a burst, then so many a minute. */
const burst = 10;
const perMinute = 10;

/** Who gets a service's certificate by the join token: services of ours that may join, in their own name. */
export class Joining {
  private readonly failures = new TokenBuckets({
    capacity: burst,
    refillPerSecond: perMinute / 60,
  });

  constructor(private readonly parts: JoiningParts) {}

  /**
   * @param request null when the token was not proved
   * @throws {RpcError} UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED
   */
  async admit(request: IssueServiceRequest | null, address: string): Promise<IssuedService> {
    if (request === null) throw await this.refuse('unknown', address, notProved());
    if (!this.parts.settings.joinServices.includes(request.service)) {
      throw await this.refuse(request.service, address, notKnown());
    }
    const issued = await this.issue(request);
    await this.note(request.service, address, 'admitted');
    return issued;
  }

  private async issue(request: IssueServiceRequest): Promise<IssuedService> {
    try {
      return await this.parts.serviceIssuing.issue(request);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** Beyond its failures an address is told to wait, and not even noted. */
  private async refuse(service: string, address: string, refusal: RpcError): Promise<RpcError> {
    const waitMs = this.failures.take(address);
    if (waitMs > 0) return tooMany(waitMs);
    await this.note(service, address, refusal.reason);
    return refusal;
  }

  private note(service: string, address: string, result: string): Promise<void> {
    const entry = { actor: `service:${service}`, tenant: null, action: 'service.join' };
    return this.parts.store.transaction((tx) =>
      this.parts.audit.record(tx, { ...entry, subject: service, detail: { address, result } }),
    );
  }
}

const notKnown = (): RpcError =>
  new RpcError(status.PERMISSION_DENIED, 'forbidden', 'no service of that name may join');

function tooMany(waitMs: number): RpcError {
  const seconds = Math.ceil(waitMs / 1000);
  const text = `too many failed tries; try again in ${seconds} s`;
  return new RpcError(status.RESOURCE_EXHAUSTED, 'rate-limited', text);
}
