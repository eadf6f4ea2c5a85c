import type { GatewayRpc } from '@glacis/contracts';
import { systemClock, type Clock } from '@glacis/runtime';

/** Tokens by which the operator acts in a tenant. */
export interface Credentials {
  /** A token that is good for a while. */
  token(tenant: string): Promise<string>;
  /** The token of the tenant was not taken: another is to be asked for. */
  forget(tenant: string): void;
}

interface Known {
  token: Promise<string>;
  until: number;
}

/** Tokens of the gateway, which knows this service by its certificate. One for each tenant, for two thirds of its life. */
export class GatewayCredentials implements Credentials {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly gateway: Pick<GatewayRpc, 'issueToken'>,
    private readonly clock: Clock = systemClock,
  ) {}

  token(tenant: string): Promise<string> {
    const known = this.known.get(tenant);
    if (known && this.clock.now().getTime() < known.until) return known.token;
    const asked: Known = { token: Promise.resolve(''), until: Infinity };
    asked.token = this.ask(tenant, asked);
    this.known.set(tenant, asked);
    return asked.token;
  }

  forget(tenant: string): void {
    this.known.delete(tenant);
  }

  private async ask(tenant: string, asked: Known): Promise<string> {
    try {
      const before = this.clock.now().getTime();
      const request = { tenant, requestedBy: 'service:operator' };
      const { token, expiresAt } = await this.gateway.issueToken(request);
      asked.until = before + ((expiresAt.getTime() - before) * 2) / 3;
      return token;
    } catch (error) {
      if (this.known.get(tenant) === asked) this.known.delete(tenant);
      throw error;
    }
  }
}
