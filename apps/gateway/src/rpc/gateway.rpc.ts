import type {
  GatewayRpc,
  RevokedTokensPage,
  ServiceToken,
  ServiceTokenRequest,
} from '@glacis/contracts';
import { RpcError, status } from '@glacis/grpc';
import { trimmedText } from '@glacis/http';
import { TokenIssuer } from '@glacis/identity';
import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { Revocations } from '../tokens/revocations.js';
import { TokensService } from '../tokens/tokens.service.js';
import { watermark } from '../tokens/watermark.js';

const tenantName = trimmedText(255);

/** What other services ask of this one. */
@Injectable()
export class GatewayRpcService implements GatewayRpc {
  constructor(
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    @Inject(TokensService) private readonly tokens: TokensService,
    @Inject(TokenIssuer) private readonly issuer: TokenIssuer,
    @Inject(Revocations) private readonly revocations: Revocations,
  ) {}

  async issueToken({ tenant, requestedBy }: ServiceTokenRequest): Promise<ServiceToken> {
    const allowed = this.settings.tokenServices.map((name) => `service:${name}`);
    if (!allowed.includes(requestedBy)) {
      throw new RpcError(status.PERMISSION_DENIED, 'forbidden', 'no token for this service');
    }
    if (tenantName.safeParse(tenant).data !== tenant) throw malformed('tenant: is no name of one');
    const { token, expiresAt } = await this.tokens.createForService(requestedBy, tenant);
    return { token, expiresAt };
  }

  async keySet(): Promise<{ jwks: string }> {
    return { jwks: JSON.stringify(await this.issuer.jwks()) };
  }

  revokedTokens({ since }: { since?: string }): Promise<RevokedTokensPage> {
    const known = since === undefined || watermark.safeParse(since).success;
    if (!known) throw malformed('since: expected the watermark of an earlier answer');
    return this.revocations.since(since ?? null);
  }
}

const malformed = (message: string): RpcError =>
  new RpcError(status.INVALID_ARGUMENT, 'malformed', message);
