import { migration, type MigrationClass } from '@glacis/store';

/**
 * `audit`: one row per action; `sequence` and the hashes are empty until the sealer has chained the row. The three
 * documents are `json`, not `jsonb`, so that they come back exactly as they were hashed.
 * `audit_head`: the one row that says where the chain ends, so that cutting rows off its end shows.
 */
export const auditMigrations: MigrationClass[] = [
  migration(
    'CreateAudit1763700000100',
    `create table audit (
       id uuid primary key,
       at timestamptz(3) not null,
       actor text not null,
       tenant text,
       action text not null,
       subject text not null,
       request_id text,
       before json,
       after json,
       detail json,
       sequence bigint unique,
       previous_hash bytea,
       hash bytea
     )`,
    'create index audit_tenant on audit (tenant, id)',
    `create table audit_head (
       singleton boolean primary key default true check (singleton),
       sequence bigint not null,
       hash bytea not null
     )`,
    `insert into audit_head (sequence, hash) values (0, decode(repeat('00', 32), 'hex'))`,
  ),
];
