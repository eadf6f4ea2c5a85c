import { eventsMigrations } from '@glacis/events';
import { auditMigrations } from '@glacis/identity';
import { migration, type MigrationClass } from '@glacis/store';
import { createIssuerKeys } from './tokens/issuer-keys.migrations.js';

/**
 * `tokens` never holds the text of a token. `revoked_xid` is the transaction that revoked it: with it the revocations
 * can be read on from a point that no transaction still under way lies before.
 */
const createTokens = migration(
  'CreateTokens1763700000000',
  `CREATE TABLE tokens (
     id uuid PRIMARY KEY,
     subject text NOT NULL,
     tenant text,
     roles text[] NOT NULL,
     created_at timestamptz NOT NULL,
     created_by text NOT NULL,
     expires_at timestamptz NOT NULL,
     revoked_at timestamptz,
     revoked_by text,
     revoked_xid xid8
   )`,
  'CREATE INDEX tokens_tenant ON tokens (tenant, id)',
  'CREATE INDEX tokens_revoked ON tokens (revoked_xid) WHERE revoked_xid IS NOT NULL',
);

/** The whole schema `gateway`. */
export const gatewayMigrations: MigrationClass[] = [
  createTokens,
  createIssuerKeys,
  ...auditMigrations,
  ...eventsMigrations,
];
