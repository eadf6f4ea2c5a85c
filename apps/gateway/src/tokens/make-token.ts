import type { Audit, TokenIssuer } from '@glacis/identity';
import type { Store } from '@glacis/store';
import type { RoleName } from './token.entity.js';
import { insertToken } from './tokens.store.js';

export interface TokenWish {
  subject: string;
  tenant: string | null;
  roles: RoleName[];
  ttlMs: number;
}

/** Who asks for it, as the audit trail tells. */
export interface Maker {
  actor: string;
  requestId?: string;
}

/** The one moment at which the text of a token is there to be handed over. */
export interface CreatedToken {
  token: string;
  id: string;
  expiresAt: Date;
}

/** The first administrator: of tenant `default`, and of the platform. */
export const firstAdministrator: Pick<TokenWish, 'subject' | 'tenant' | 'roles'> = {
  subject: 'admin',
  tenant: 'default',
  roles: ['admin', 'platform-admin'],
};

/** Signed before it is recorded: a crash between the two leaves a token that nobody was given. */
export async function makeToken(
  { store, issuer, audit }: { store: Store; issuer: TokenIssuer; audit: Audit },
  wish: TokenWish,
  maker: Maker,
): Promise<CreatedToken> {
  const { token, id, issuedAt, expiresAt } = await issuer.issue(wish);
  const { subject, tenant, roles } = wish;
  await store.transaction(async (tx) => {
    await insertToken(tx, {
      id,
      subject,
      tenant,
      roles,
      createdAt: issuedAt,
      createdBy: maker.actor,
      expiresAt,
    });
    await audit.record(tx, {
      ...maker,
      tenant,
      action: 'token.create',
      subject: id,
      after: { subject, tenant, roles, expires_at: expiresAt.toISOString() },
    });
  });
  return { token, id, expiresAt };
}
