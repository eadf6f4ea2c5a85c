import type { IssuedService, IssuePartyRequest } from '@glacis/contracts';
import { assertKeeper } from '../names/entity-directory.js';
import { subjectOf } from './issue-request.js';
import { profileOf } from './profile-rules.js';
import { csrOf } from './service-issuing.service.js';
import type { VmIssuingParts } from './vm-issuing.service.js';

/**
 * Certificates of compute parties (`jobs.md` 11.10). A party cannot renew, so its certificate lives as long as its job may;
 * it is known by its URI alone, at both ends of a link.
 */
export class PartyIssuing {
  constructor(private readonly parts: VmIssuingParts) {}

  /** @throws {RpcError} INVALID_ARGUMENT for a CSR that does not hold, PERMISSION_DENIED for another service */
  async issue(request: IssuePartyRequest): Promise<IssuedService> {
    const { settings, issuing, writer, files } = this.parts;
    const { tenant, partyId, ttlSeconds, requestedBy } = request;
    assertKeeper(requestedBy, 'party');
    const csr = csrOf(request.csr);
    const ttlMs = ttlSeconds * 1_000;
    const leaf = await issuing.write(writer.shared(), {
      order: {
        tenant,
        entityType: 'party',
        entityId: partyId,
        profile: profileOf({ entityType: 'party', ttlMs }),
        subject: subjectOf(partyId, settings.organization, null),
        spki: csr.spki,
        keyAlgorithm: csr.keyAlgorithm,
        keyId: null,
        names: [],
        serverAuth: true,
        ttlMs,
      },
      source: 'csr',
      origin: { actor: requestedBy, tenant },
    });
    return { chainPem: leaf.filePem, caPem: files.caPem(), notAfter: leaf.notAfter };
  }
}
