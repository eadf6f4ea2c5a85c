import { migration, type MigrationClass } from '@glacis/store';

/** How many expiry steps of a certificate have been told, and whether a renewed one is in use. */
export const expiringMigrations: MigrationClass[] = [
  migration(
    'TellExpiry1763710000013',
    `ALTER TABLE certificates
       ADD COLUMN expiring_told smallint NOT NULL DEFAULT 0,
       ADD COLUMN used_at timestamptz`,
  ),
];
