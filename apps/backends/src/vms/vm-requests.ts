import type { CertificatesRpc, IssuedService } from '@glacis/contracts';
import { RpcDirectory, type CreateReq } from '@glacis/grpc';
import { problems } from '@glacis/http';
import { bareCsr, generateKeys, privateKeyPem } from '@glacis/pki';
import { Inject, Injectable } from '@nestjs/common';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import type { Attempt } from './vm-attempts.js';
import { durationText } from './vm.schema.js';

/** Shortest life of a VM's certificate. */
const LEAST_CERTIFICATE_MS = 5 * 60_000;

/** What a manager is told of a VM: with it goes the identity of its agent, whose key is kept nowhere here. */
@Injectable()
export class VmRequests {
  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
    @Inject(RpcDirectory) directory: RpcDirectory,
  ) {
    this.certificates = directory.client('certificates');
  }

  /** @throws {Problem} 503 no certificate is to be had */
  async requestOf(tenant: string, { id, wish, ttlMs }: Attempt): Promise<CreateReq> {
    const { privateKey } = await generateKeys('ECDSA-P256');
    const issued = await this.certificateOf(tenant, id, { ttlMs, csr: bareCsr(privateKey) });
    return {
      agentLogLevel: wish.agent_log_level,
      agentCvmServerCaCert: Buffer.from(issued.caPem),
      agentCvmClientKey: Buffer.from(privateKeyPem(privateKey)),
      agentCvmClientCert: Buffer.from(issued.chainPem),
      agentCvmServerUrl: this.agentUrl,
      agentCvmCaUrl: wish.ca_url,
      ttl: durationText(ttlMs),
      agentCertsToken: wish.certs_token,
      awsAccessKeyId: wish.aws_access_key_id,
      awsSecretAccessKey: wish.aws_secret_access_key,
      awsEndpointUrl: wish.aws_endpoint_url,
      awsRegion: wish.aws_region,
      aaKbsParams: wish.aa_kbs_params,
    };
  }

  private certificateOf(
    tenant: string,
    vmId: string,
    { ttlMs, csr }: { ttlMs: number | null; csr: Buffer },
  ): Promise<IssuedService> {
    const lifeMs = ttlMs === null ? 0 : Math.max(ttlMs, LEAST_CERTIFICATE_MS);
    const ttlSeconds = Math.ceil(lifeMs / 1_000);
    return this.certificates
      .issueVm({ csr, tenant, vmId, ttlSeconds, requestedBy: 'service:backends' })
      .catch((cause: unknown) => {
        throw problems.unavailable('the certificate service does not answer', { cause });
      });
  }

  private get agentUrl(): string {
    const { agentUrl, publicNames, agentPort } = this.settings;
    return agentUrl ?? `${publicNames[0] ?? 'localhost'}:${agentPort}`;
  }
}
