import { problems, type Caller } from '@glacis/http';
import { Outbox } from '@glacis/events';
import { adminScope, Audit, RevokedTokens, TokenIssuer } from '@glacis/identity';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import {
  firstAdministrator,
  makeToken,
  type CreatedToken,
  type Maker,
  type TokenWish,
} from './make-token.js';
import { grantFault } from './token-rules.js';
import type { RoleName, Token } from './token.entity.js';
import { findToken, listTokens, lockToken, markRevoked } from './tokens.store.js';

export interface NewToken {
  subject: string;
  /** Absent: the caller's own. */
  tenant?: string | null;
  roles: RoleName[];
  /** Milliseconds; absent: the default of the settings. */
  ttl?: number;
}

const minTtlMs = 1_000;
const serviceTtlMs = 15 * 60_000;

@Injectable()
export class TokensService {
  constructor(
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    readonly store: Store,
    readonly issuer: TokenIssuer,
    private readonly revoked: RevokedTokens,
    readonly audit: Audit,
    private readonly outbox: Outbox,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** The token of the first administrator, good for the longest life. */
  createFirst(): Promise<CreatedToken> {
    const ttlMs = this.settings.tokenTtlMax;
    return this.make({ ...firstAdministrator, ttlMs }, { actor: 'gateway' });
  }

  /** For a service of ours, which renews it as it likes: an administrator's of that tenant, for a short while. */
  createForService(actor: string, tenant: string): Promise<CreatedToken> {
    const roles: RoleName[] = ['admin'];
    const ttlMs = Math.min(serviceTtlMs, this.settings.tokenTtlMax);
    return this.make({ subject: actor, tenant, roles, ttlMs }, { actor });
  }

  async create(caller: Caller, wanted: NewToken): Promise<CreatedToken> {
    const { subject, roles, tenant = caller.principal.tenant } = wanted;
    const fault = grantFault(adminScope(caller.principal), { tenant, roles });
    if (fault !== null) throw problems.forbidden(fault);
    const ttlMs = this.checkedTtl(wanted.ttl ?? this.settings.tokenTtl);
    return this.make({ subject, tenant, roles, ttlMs }, makerOf(caller));
  }

  list(
    caller: Caller,
    page: { offset: number; limit: number },
  ): Promise<{ total: number; tokens: Token[] }> {
    return listTokens(this.store, adminScope(caller.principal), page);
  }

  async get(caller: Caller, id: string): Promise<Token> {
    return known(await findToken(this.store, adminScope(caller.principal), id));
  }

  /** From its return on this process refuses the token; the others as soon as they hear of it. */
  async revoke(caller: Caller, id: string): Promise<void> {
    const scope = adminScope(caller.principal);
    await this.store.transaction(async (tx) => {
      const token = known(await lockToken(tx, scope, id));
      if (token.revokedAt === null) await this.revokeIn(tx, token, caller);
    });
  }

  private async revokeIn(tx: Tx, token: Token, caller: Caller): Promise<void> {
    const { id, tenant, expiresAt } = token;
    const { actor, requestId } = makerOf(caller);
    await markRevoked(tx, { id, at: this.clock.now(), by: actor });
    await this.audit.record(tx, { actor, tenant, action: 'token.revoke', subject: id, requestId });
    await this.outbox.add(tx, {
      type: 'token.revoked',
      subject: id,
      tenant: tenant ?? '',
      data: { token_id: id, expires_at: expiresAt.toISOString() },
      traceparent: caller.traceparent,
    });
    tx.afterCommit(() => this.revoked.add({ id, expiresAt }));
  }

  private checkedTtl(ttlMs: number): number {
    if (ttlMs >= minTtlMs && ttlMs <= this.settings.tokenTtlMax) return ttlMs;
    const longest = Math.floor(this.settings.tokenTtlMax / 1000);
    throw problems.malformed(`ttl: must be from 1s to ${longest}s`, { members: { field: 'ttl' } });
  }

  private make(wish: TokenWish, maker: Maker): Promise<CreatedToken> {
    return makeToken(this, wish, maker);
  }
}

function makerOf(caller: Caller): Maker {
  return { actor: caller.principal.subject, requestId: caller.requestId };
}

function known(token: Token | undefined): Token {
  if (token === undefined) throw problems.notFound('no such token');
  return token;
}
