import { migration, type MigrationClass } from '@glacis/store';

/** Hosts whose manager is called by us, and the VMs that we had made there (`backends.md` 8). */
const createVms = migration(
  'CreateVms1763710000040',
  `CREATE TABLE vm_managers (
    backend_id uuid PRIMARY KEY REFERENCES backends ON DELETE CASCADE,
    address text NOT NULL,
    ca text NOT NULL,
    certificate text NOT NULL,
    key_kek_id text NOT NULL,
    key_wrapped_dek bytea NOT NULL,
    key_iv bytea NOT NULL,
    key_ciphertext bytea NOT NULL,
    key_tag bytea NOT NULL,
    ttl_ms bigint,
    platforms text[] NOT NULL,
    updated_at timestamptz NOT NULL
  )`,
  `CREATE TABLE vms (
    backend_id uuid PRIMARY KEY REFERENCES backends ON DELETE CASCADE,
    host_id uuid NOT NULL,
    tenant_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('creating', 'running', 'uncertain')),
    cvm_id text,
    forwarded_port text,
    attempted_at timestamptz NOT NULL,
    expires_at timestamptz
  )`,
  'CREATE INDEX vms_host ON vms (host_id, attempted_at DESC, backend_id)',
  'CREATE INDEX vms_expiring ON vms (expires_at) WHERE expires_at IS NOT NULL',
  `CREATE INDEX vms_creating ON vms (attempted_at) WHERE state = 'creating'`,
);

export const vmsMigrations: MigrationClass[] = [createVms];
