import { CertsServiceDefinition } from '../generated/certs/absmach/certs.js';
import { same, wireMethod, type Wire } from './wire-method.js';

const { methods } = CertsServiceDefinition;

/** What clients of the upstream certificate service call (`certificates.md` 8). */
export interface UpstreamCerts {
  /** NOT_FOUND when the serial is unknown; answers for revoked ones too, so nobody may be admitted by it. */
  getEntityId(request: { serialNumber: string }): Promise<{ entityId: string }>;
  /** Revokes every certificate of an entity, whatever its tenant. NOT_FOUND when it never had one. */
  revokeCerts(request: { entityId: string; requestedBy: string }): Promise<Record<string, never>>;
}

/** `absmach.certs.CertsService`. */
export const upstreamCertsWire: Wire<UpstreamCerts> = {
  getEntityId: wireMethod(CertsServiceDefinition, methods.getEntityID, {
    toRequest: same,
    fromRequest: same,
    toReply: same,
    fromReply: same,
  }),
  revokeCerts: wireMethod(CertsServiceDefinition, methods.revokeCerts, {
    toRequest: ({ entityId }) => ({ entityId }),
    fromRequest: ({ entityId }, caller) => ({ entityId, requestedBy: `service:${caller}` }),
    toReply: same,
    fromReply: () => ({}),
  }),
};
