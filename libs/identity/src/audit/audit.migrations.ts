import { migration, type MigrationClass } from '@glacis/store';

/**
 * `audit`: one row per action; `sequence` and the hashes are empty until the sealer has chained the row. The three
 * documents are `json`, not `jsonb`, so that they come back exactly as they were hashed.
 * `audit_head`: the one row that says where the chain ends, so that cutting rows off its end shows.
 */
export const auditMigrations: MigrationClass[] = [
  migration(
    'CreateAudit1763700000100',
    `CREATE TABLE audit (
       id uuid PRIMARY KEY,
       at timestamptz(3) NOT NULL,
       actor text NOT NULL,
       tenant text,
       action text NOT NULL,
       subject text NOT NULL,
       request_id text,
       before json,
       after json,
       detail json,
       sequence bigint UNIQUE,
       previous_hash bytea,
       hash bytea
     )`,
    'CREATE INDEX audit_tenant ON audit (tenant, id)',
    `CREATE TABLE audit_head (
       singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
       sequence bigint NOT NULL,
       hash bytea NOT NULL
     )`,
    `INSERT INTO audit_head (sequence, hash) VALUES (0, decode(repeat('00', 32), 'hex'))`,
  ),
];
