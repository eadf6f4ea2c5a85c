import type { IssuedService, IssueVmRequest } from '@glacis/contracts';
import type { CertificateFiles } from '../certificates/certificate-files.js';
import type { CertificatesSettings } from '../settings.js';
import { assertKeeper } from '../names/entity-directory.js';
import { subjectOf } from './issue-request.js';
import type { IssueWriter } from './issue-writer.js';
import type { Issuing } from './issuing.service.js';
import { csrOf } from './service-issuing.service.js';

export interface VmIssuingParts {
  settings: CertificatesSettings;
  issuing: Issuing;
  writer: IssueWriter;
  files: CertificateFiles;
}

/**
 * Certificates that VMs are given when they are created (`backends.md` 8). Their agents cannot renew, so a certificate
 * lives as long as its VM; it is a client's and carries no names.
 */
export class VmIssuing {
  constructor(private readonly parts: VmIssuingParts) {}

  /** @throws {RpcError} INVALID_ARGUMENT for a CSR that does not hold, PERMISSION_DENIED for another service */
  async issue(request: IssueVmRequest): Promise<IssuedService> {
    const { settings, issuing, writer, files } = this.parts;
    const { tenant, vmId, ttlSeconds, requestedBy } = request;
    assertKeeper(requestedBy);
    const csr = csrOf(request.csr);
    const leaf = await issuing.write(writer.shared(), {
      order: {
        tenant,
        entityType: 'cvm',
        entityId: vmId,
        profile: 'standard',
        subject: subjectOf(vmId, settings.organization, null),
        spki: csr.spki,
        keyAlgorithm: csr.keyAlgorithm,
        keyId: null,
        names: [],
        serverAuth: false,
        ttlMs: ttlSeconds === 0 ? settings.defaultTtl : ttlSeconds * 1_000,
      },
      source: 'csr',
      origin: { actor: requestedBy, tenant },
    });
    return { chainPem: leaf.filePem, caPem: files.caPem(), notAfter: leaf.notAfter };
  }
}
