import { migration } from '@glacis/store';

/**
 * The keys of the token issuer, all of them sealed: what is not under the key-encryption key counts for nothing, so
 * that nobody adds a key who can only write to the table. `id` is the thumbprint of RFC 7638; one row has no `until`, the
 * key that signs, of the others the public part is there.
 */
export const createIssuerKeys = migration(
  'CreateIssuerKeys1763720000020',
  `CREATE TABLE issuer_keys (
     id text PRIMARY KEY,
     until timestamptz,
     kek_id text NOT NULL,
     wrapped_dek bytea NOT NULL,
     iv bytea NOT NULL,
     ciphertext bytea NOT NULL,
     tag bytea NOT NULL
   )`,
  'CREATE UNIQUE INDEX issuer_keys_signing ON issuer_keys ((until IS NULL)) WHERE until IS NULL',
);
