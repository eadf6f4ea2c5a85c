import type { GatewayRpc } from '@glacis/contracts';
import type { RevocationSource } from './revocation-feed.js';

/** What a service reads of the gateway when it runs apart from it. */
export interface GatewaySource extends RevocationSource {
  /** Its keys (RFC 7517). */
  keySet(): Promise<unknown>;
}

/** The gateway as its internal port answers: who it is stands in its certificate. */
export function gatewayCalls(gateway: GatewayRpc): GatewaySource {
  return {
    keySet: async () => JSON.parse((await gateway.keySet({})).jwks) as unknown,
    revokedSince: (watermark) =>
      gateway.revokedTokens(watermark === null ? {} : { since: watermark }),
  };
}
