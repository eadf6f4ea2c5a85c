import { auditMigrations } from '@glacis/identity';
import { eventsMigrations } from '@glacis/events';
import { idempotencyMigrations } from '@glacis/http';
import { migration, type MigrationClass } from '@glacis/store';
import { issuersMigrations } from './authority/issuers.migrations.js';
import { expiringMigrations } from './expiring/expiring.migrations.js';
import { enrolmentMigrations } from './enrolment/enrolment.migrations.js';
import { revocationMigrations } from './revocation/revocation.migrations.js';

const createIssuers = migration(
  'CreateIssuers1763700100000',
  `CREATE TABLE private_keys (
     id uuid PRIMARY KEY,
     purpose text NOT NULL,
     kek_id text,
     wrapped_dek bytea,
     iv bytea,
     ciphertext bytea,
     tag bytea,
     created_at timestamptz NOT NULL,
     erase_at timestamptz,
     erased_at timestamptz
   )`,
  `CREATE INDEX private_keys_erase_at ON private_keys (erase_at) WHERE erased_at IS NULL`,
  `CREATE INDEX private_keys_purpose ON private_keys (purpose, created_at) WHERE purpose <> 'leaf'`,
  `CREATE INDEX private_keys_kek ON private_keys (kek_id) WHERE erased_at IS NULL`,
  `CREATE TABLE issuers (
     id text PRIMARY KEY,
     kind text NOT NULL,
     cert bytea NOT NULL,
     key_id uuid REFERENCES private_keys,
     state text NOT NULL,
     revoked_at timestamptz,
     row_version integer NOT NULL DEFAULT 1,
     not_after timestamptz NOT NULL,
     created_at timestamptz NOT NULL
   )`,
  `CREATE UNIQUE INDEX issuers_current ON issuers (kind) WHERE state = 'current'`,
  `CREATE TABLE responders (
     id uuid PRIMARY KEY,
     issuer_id text NOT NULL REFERENCES issuers,
     cert bytea NOT NULL,
     key_id uuid NOT NULL REFERENCES private_keys,
     not_after timestamptz NOT NULL,
     created_at timestamptz NOT NULL
   )`,
  `CREATE INDEX responders_issuer ON responders (issuer_id, created_at)`,
);

const createCertificates = migration(
  'CreateCertificates1763700200000',
  `CREATE SEQUENCE revocation_sequence`,
  `CREATE TABLE certificates (
     serial numeric(39) PRIMARY KEY,
     tenant_id text NOT NULL,
     entity_type text NOT NULL,
     entity_id text NOT NULL,
     profile text NOT NULL,
     issuer_id text NOT NULL,
     shard integer,
     der bytea NOT NULL,
     chain_ids text[] NOT NULL,
     names text[] NOT NULL,
     spki_sha256 bytea NOT NULL,
     fingerprint_sha256 bytea NOT NULL,
     not_before timestamptz NOT NULL,
     not_after timestamptz NOT NULL,
     issued_at timestamptz NOT NULL,
     ttl_seconds bigint NOT NULL,
     key_algorithm text NOT NULL,
     key_id uuid,
     status text NOT NULL,
     revoked_at timestamptz,
     revocation_reason smallint,
     revocation_seq bigint,
     renewed_from numeric(39),
     renewed_to numeric(39),
     file_sha256 bytea NOT NULL,
     file_sha512 bytea NOT NULL,
     leaf_sha256 bytea NOT NULL,
     leaf_sha512 bytea NOT NULL,
     row_version integer NOT NULL
   )`,
  `CREATE INDEX certificates_entity ON certificates (entity_id, tenant_id)`,
  `CREATE INDEX certificates_newest ON certificates (tenant_id, issued_at DESC, serial)`,
  `CREATE INDEX certificates_not_after ON certificates (not_after)`,
  `CREATE INDEX certificates_shard ON certificates (issuer_id, shard)`,
  `CREATE UNIQUE INDEX certificates_revocation_seq ON certificates (revocation_seq)
     WHERE revocation_seq IS NOT NULL`,
  `CREATE INDEX certificates_key ON certificates (key_id) WHERE key_id IS NOT NULL`,
  `CREATE INDEX certificates_services ON certificates (not_after) WHERE entity_type = 'service'`,
  `CREATE TABLE download_tokens (
     jti text PRIMARY KEY,
     subject text NOT NULL,
     created_by text NOT NULL,
     expires_at timestamptz NOT NULL
   )`,
  `CREATE INDEX download_tokens_expires_at ON download_tokens (expires_at)`,
  `CREATE TABLE ended_entities (
     tenant_id text NOT NULL,
     entity_type text NOT NULL,
     entity_id text NOT NULL,
     ended_at timestamptz NOT NULL,
     PRIMARY KEY (entity_id, entity_type, tenant_id)
   )`,
  `CREATE TABLE name_policies (
     tenant_id text PRIMARY KEY,
     dns_suffixes text[] NOT NULL,
     cidrs text[] NOT NULL,
     server_auth text NOT NULL,
     row_version integer NOT NULL,
     updated_at timestamptz NOT NULL,
     updated_by text NOT NULL
   )`,
);

const createCrls = migration(
  'CreateCrls1763700300000',
  `CREATE TABLE crl_shards (
     issuer_id text NOT NULL REFERENCES issuers,
     scope text NOT NULL,
     url text,
     leaves integer NOT NULL DEFAULT 0,
     number bigint NOT NULL DEFAULT 0,
     der bytea,
     built_seq bigint NOT NULL DEFAULT 0,
     built_at timestamptz,
     this_update timestamptz,
     next_update timestamptz,
     open boolean NOT NULL DEFAULT false,
     PRIMARY KEY (issuer_id, scope)
   )`,
  `CREATE TABLE crl_entries (
     issuer_id text NOT NULL,
     shard integer,
     serial numeric(39) NOT NULL,
     entry bytea NOT NULL,
     revoked_at timestamptz NOT NULL,
     change_seq bigint NOT NULL,
     expires_at timestamptz NOT NULL,
     PRIMARY KEY (issuer_id, serial)
   )`,
  `CREATE INDEX crl_entries_shard ON crl_entries (issuer_id, shard, change_seq)`,
  `CREATE INDEX crl_entries_full ON crl_entries (issuer_id, change_seq)`,
);

/** The schema of the service and of the libraries whose tables live in it. */
export const certificatesMigrations: MigrationClass[] = [
  ...eventsMigrations,
  ...auditMigrations,
  ...idempotencyMigrations,
  createIssuers,
  createCertificates,
  createCrls,
  ...issuersMigrations,
  ...expiringMigrations,
  ...enrolmentMigrations,
  ...revocationMigrations,
];
