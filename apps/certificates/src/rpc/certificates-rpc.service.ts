import type {
  CertificatesRpc,
  EnrolmentToken,
  EnrolmentTokenRequest,
  IssuedService,
  IssuePartyRequest,
  IssueServiceRequest,
  IssueVmRequest,
  ResolvedCertificate,
  RevocationNews,
  RevokeEntityRequest,
  TrustBundle,
} from '@glacis/contracts';
import { RpcDirectory, RpcError, status } from '@glacis/grpc';
import { parseSerial } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { OnModuleInit } from '@nestjs/common';
import { statusOf } from '../certificates/certificate.entity.js';
import { findCertificate } from '../certificates/certificates.store.js';
import type { EnrolmentTokens } from '../enrolment/enrolment-tokens.js';
import type { ServiceIssuing } from '../issuing/service-issuing.service.js';
import { reasonCode } from '../revocation/reasons.js';
import type { PartyIssuing } from '../issuing/party-issuing.service.js';
import type { VmIssuing } from '../issuing/vm-issuing.service.js';
import type { Revocation } from '../revocation/revocation.service.js';
import { asRefusal } from './refusals.js';
import type { Watches } from './watches.js';

export interface RpcParts {
  directory: RpcDirectory;
  store: Store;
  watches: Watches;
  serviceIssuing: ServiceIssuing;
  vmIssuing: VmIssuing;
  partyIssuing: PartyIssuing;
  revocation: Revocation;
  enrolmentTokens: EnrolmentTokens;
  clock: Clock;
}

/** What other services may ask of us. */
export class CertificatesRpcService implements CertificatesRpc, OnModuleInit {
  constructor(private readonly parts: RpcParts) {}

  onModuleInit(): void {
    this.parts.directory.provide('certificates', this);
  }

  async resolve({ serialNumber }: { serialNumber: string }): Promise<ResolvedCertificate> {
    const serial = parseSerial(serialNumber);
    const row =
      serial === null ? undefined : await findCertificate(this.parts.store, serial.toString());
    if (row === undefined) throw new RpcError(status.NOT_FOUND, 'not-found', 'unknown serial');
    return {
      entityId: row.entity_id,
      entityType: row.entity_type,
      tenant: row.tenant_id,
      status: statusOf(row, this.parts.clock.now()),
      notAfter: row.not_after,
      fingerprintSha256: row.fingerprint_sha256.toString('hex'),
      issuerId: row.issuer_id,
      certFileSha512: [row.file_sha512, row.leaf_sha512],
    };
  }

  async issueService(request: IssueServiceRequest): Promise<IssuedService> {
    try {
      return await this.parts.serviceIssuing.issue(request);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  async issueVm(request: IssueVmRequest): Promise<IssuedService> {
    try {
      return await this.parts.vmIssuing.issue(request);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  async issueParty(request: IssuePartyRequest): Promise<IssuedService> {
    try {
      return await this.parts.partyIssuing.issue(request);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** Asked by the service that deletes the entity. */
  async revokeEntity(request: RevokeEntityRequest): Promise<{ serialNumbers: string[] }> {
    const { tenant, entityType, entityId } = request;
    const reason = reasonCode(request.reason);
    if (reason === null) {
      throw new RpcError(status.INVALID_ARGUMENT, 'malformed', 'reason is not allowed');
    }
    const serialNumbers = await this.parts.revocation.endEntity({
      tenant,
      entityType,
      entityId,
      reason,
      by: { actor: `${entityType} ${entityId}` },
    });
    return { serialNumbers };
  }

  async createEnrolmentToken(request: EnrolmentTokenRequest): Promise<EnrolmentToken> {
    try {
      return await this.parts.enrolmentTokens.create(request);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  watchRevocations(
    { after }: { after: number },
    signal: AbortSignal,
  ): AsyncGenerator<RevocationNews, void> {
    return this.parts.watches.revocations(after, signal);
  }

  trustBundle(
    _request: Record<string, never>,
    signal: AbortSignal,
  ): AsyncGenerator<TrustBundle, void> {
    return this.parts.watches.trust(signal);
  }
}
