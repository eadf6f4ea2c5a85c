import type { GatewayRpc } from '@glacis/contracts';
import { GatewayDefinition } from '../generated/gateway/v1/gateway.js';
import { malformed, same, wireMethod, type Wire } from './wire-method.js';

const { methods } = GatewayDefinition;

/** `glacis.gateway.v1.Gateway`. */
export const gatewayWire: Wire<GatewayRpc> = {
  issueToken: wireMethod(GatewayDefinition, methods.issueToken, {
    toRequest: ({ tenant }) => ({ tenant }),
    fromRequest: ({ tenant }, caller) => ({
      tenant: tenant || missing('tenant'),
      requestedBy: `service:${caller}`,
    }),
    toReply: same,
    fromReply: expiring,
  }),
  keySet: wireMethod(GatewayDefinition, methods.keySet, {
    toRequest: same,
    fromRequest: () => ({}),
    toReply: same,
    fromReply: same,
  }),
  revokedTokens: wireMethod(GatewayDefinition, methods.revokedTokens, {
    toRequest: same,
    fromRequest: same,
    toReply: same,
    fromReply: ({ revoked, ...page }) => ({ ...page, revoked: revoked.map(expiring) }),
  }),
};

function missing(member: string): never {
  throw malformed(`${member} is missing`);
}

function expiring<T extends { expiresAt: Date | undefined }>(message: T): T & { expiresAt: Date } {
  const { expiresAt } = message;
  if (expiresAt === undefined) throw new Error('a time is missing');
  return { ...message, expiresAt };
}
