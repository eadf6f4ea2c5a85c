import { migration, type MigrationClass } from '@glacis/store';

/** Keys that are never certified again, those of earlier revocations among them. */
export const revocationMigrations: MigrationClass[] = [
  migration(
    'KeepCompromisedKeys1763720000010',
    `CREATE TABLE compromised_keys (
       spki_sha256 bytea PRIMARY KEY,
       since timestamptz NOT NULL
     )`,
    `INSERT INTO compromised_keys (spki_sha256, since)
     SELECT spki_sha256, min(revoked_at) FROM certificates
     WHERE revocation_reason = 1 GROUP BY spki_sha256`,
  ),
];
