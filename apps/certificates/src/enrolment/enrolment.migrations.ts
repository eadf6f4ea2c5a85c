import { migration, type MigrationClass } from '@glacis/store';

/** Tokens by which hosts get their first certificate, and receipts of those used (`certificates.md` 3.3). */
export const enrolmentMigrations: MigrationClass[] = [
  migration(
    'CreateEnrolment1763710000020',
    `CREATE TABLE enrolment_tokens (
       token_sha256 bytea PRIMARY KEY,
       tenant_id text NOT NULL,
       backend_id text NOT NULL,
       cidr text,
       expires_at timestamptz NOT NULL,
       created_by text NOT NULL,
       created_at timestamptz NOT NULL
     )`,
    `CREATE INDEX enrolment_tokens_backend ON enrolment_tokens (backend_id, created_at)`,
    `CREATE INDEX enrolment_tokens_expires_at ON enrolment_tokens (expires_at)`,
    `CREATE TABLE enrolments (
       token_sha256 bytea PRIMARY KEY,
       tenant_id text NOT NULL,
       backend_id text NOT NULL,
       cidr text,
       spki_sha256 bytea NOT NULL,
       serial numeric(39) NOT NULL,
       expires_at timestamptz NOT NULL
     )`,
    `CREATE INDEX enrolments_expires_at ON enrolments (expires_at)`,
  ),
];
