import type { CertificatesRpc } from '@glacis/contracts';
import { RpcError, status, type UpstreamCerts } from '@glacis/grpc';
import type { Store } from '@glacis/store';
import { tenantsOfEntity } from '../certificates/certificates.store.js';
import { revocationReasons } from '../revocation/reasons.js';
import type { Revocation } from '../revocation/revocation.service.js';

export interface UpstreamCertsParts {
  store: Store;
  rpc: CertificatesRpc;
  revocation: Revocation;
}

/** Two calls of the upstream certificate service, for clients of ours that still make them (`certificates.md` 8). */
export class UpstreamCertsService implements UpstreamCerts {
  constructor(private readonly parts: UpstreamCertsParts) {}

  async getEntityId(request: { serialNumber: string }): Promise<{ entityId: string }> {
    const { entityId } = await this.parts.rpc.resolve(request);
    return { entityId };
  }

  /** The call names no tenant. Where two tenants chose the same id, both entities are meant. */
  async revokeCerts({
    entityId,
    requestedBy,
  }: {
    entityId: string;
    requestedBy: string;
  }): Promise<Record<string, never>> {
    const { store, revocation } = this.parts;
    const tenants = await tenantsOfEntity(store, entityId);
    if (tenants.length === 0) throw new RpcError(status.NOT_FOUND, 'not-found', 'unknown entity');
    for (const tenant of tenants) {
      await revocation.revokeEntity({
        tenant,
        entityId,
        reason: revocationReasons.unspecified,
        by: { actor: requestedBy },
      });
    }
    return {};
  }
}
