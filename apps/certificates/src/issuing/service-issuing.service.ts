import type { IssuedService, IssueServiceRequest } from '@glacis/contracts';
import { RpcError, status } from '@glacis/grpc';
import { canonicalName, CsrError, readCsr, type Csr } from '@glacis/pki';
import type { CertificateFiles } from '../certificates/certificate-files.js';
import type { CertificatesSettings } from '../settings.js';
import { subjectOf } from './issue-request.js';
import type { IssueWriter } from './issue-writer.js';
import { lifeOf } from './profile-rules.js';
import type { Issuing } from './issuing.service.js';

/** Owner of our own services' certificates; no caller's token names it. */
export const platformTenant = 'glacis:platform';

export interface ServiceIssuingParts {
  settings: CertificatesSettings;
  issuing: Issuing;
  writer: IssueWriter;
  files: CertificateFiles;
}

/** Certificates for our own servers; their names become our own names (`certificates.md` 2.5, 8). */
export class ServiceIssuing {
  constructor(private readonly parts: ServiceIssuingParts) {}

  /** @throws {RpcError} INVALID_ARGUMENT for a CSR or name that does not hold */
  async issue(request: IssueServiceRequest): Promise<IssuedService> {
    const { settings, issuing, writer, files } = this.parts;
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(request.service)) throw invalid('no name of a service');
    const csr = csrOf(request.csr);
    const leaf = await issuing.write(writer.shared(), {
      order: {
        tenant: platformTenant,
        entityType: 'service',
        entityId: request.service,
        subject: subjectOf(request.service, settings.organization, null),
        spki: csr.spki,
        keyAlgorithm: csr.keyAlgorithm,
        keyId: null,
        names: namesOf(request),
        profile: 'short',
        serverAuth: true,
        ttlMs: lifeOf('short', undefined, settings.defaultTtl),
      },
      source: 'csr',
      origin: { actor: request.service, tenant: platformTenant },
    });
    return { chainPem: leaf.filePem, caPem: files.caPem(), notAfter: leaf.notAfter };
  }
}

/** @throws {RpcError} INVALID_ARGUMENT */
export function csrOf(der: Buffer): Csr {
  try {
    return readCsr(der);
  } catch (cause) {
    if (cause instanceof CsrError) throw invalid(cause.message);
    throw cause;
  }
}

function namesOf({ ipAddresses, dnsNames }: IssueServiceRequest): string[] {
  const names = [...ipAddresses, ...dnsNames].map((name) => {
    const canonical = canonicalName(name);
    if (canonical === null) throw invalid(`'${name}' is no host name or address`);
    return canonical;
  });
  return [...new Set(names)];
}

const invalid = (reason: string): RpcError =>
  new RpcError(status.INVALID_ARGUMENT, 'malformed', reason);
