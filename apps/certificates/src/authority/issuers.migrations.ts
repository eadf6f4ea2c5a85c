import { migration, type MigrationClass } from '@glacis/store';

/** Rotation and revocation of issuers; CRL numbers and serials of a CA brought in may have 20 octets. */
export const issuersMigrations: MigrationClass[] = [
  migration(
    'RotateIssuers1763710000010',
    `ALTER TABLE issuers
       ADD COLUMN signs_from timestamptz,
       ADD COLUMN revocation_reason smallint,
       ADD COLUMN revocation_seq bigint`,
    `UPDATE issuers SET signs_from = created_at`,
    `CREATE UNIQUE INDEX issuers_revocation_seq ON issuers (revocation_seq)
       WHERE revocation_seq IS NOT NULL`,
    `ALTER TABLE crl_shards ALTER COLUMN number TYPE numeric(49)`,
  ),
  migration(
    'CrossIssuers1763710000011',
    `DROP INDEX issuers_current`,
    `CREATE UNIQUE INDEX issuers_one_current ON issuers (kind)
       WHERE state = 'current' AND kind <> 'cross'`,
    `ALTER TABLE issuers ADD COLUMN leaves_marked_at timestamptz`,
  ),
  migration(
    'ForeignSerials1763710000012',
    `ALTER TABLE crl_entries ALTER COLUMN serial TYPE numeric(49)`,
  ),
];
