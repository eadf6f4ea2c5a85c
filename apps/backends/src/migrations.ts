import { commandsMigrations } from './commands/commands.migrations.js';
import { migration, type MigrationClass } from '@glacis/store';
import { agentsMigrations } from './agents/agents.migrations.js';
import { vmsMigrations } from './vms/vms.migrations.js';

/** `backends.md` 3. Names and addresses are compared byte by byte, hence the collation. */
const createBackends = migration(
  'CreateBackends1763700000000',
  `CREATE TABLE backends (
    id uuid PRIMARY KEY,
    tenant_id text NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text NOT NULL,
    address text NOT NULL,
    address_key text COLLATE "C",
    address_host text COLLATE "C",
    address_since timestamptz,
    protocol_pin text,
    protocol_seen text,
    manager_version text,
    last_seen timestamptz,
    last_serial text,
    stream_epoch bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    row_version integer NOT NULL DEFAULT 1,
    deleting_at timestamptz
  ) WITH (fillfactor = 80)`,
  'CREATE UNIQUE INDEX backends_name_key ON backends (tenant_id, name)',
  `CREATE UNIQUE INDEX backends_address_key ON backends (tenant_id, address_key)
    WHERE address_key IS NOT NULL`,
  'CREATE INDEX backends_created ON backends (tenant_id, created_at, id)',
  'CREATE INDEX backends_seen ON backends (tenant_id, last_seen DESC NULLS LAST, id DESC)',
  `CREATE INDEX backends_host ON backends (address_host, address_since, id)
    WHERE address_host IS NOT NULL`,
  'CREATE INDEX backends_deleting ON backends (deleting_at) WHERE deleting_at IS NOT NULL',
);

const createStreams = migration(
  'CreateStreams1763700000001',
  `CREATE TABLE backend_streams (
    backend_id uuid PRIMARY KEY,
    tenant_id text NOT NULL,
    stream_id uuid NOT NULL,
    epoch bigint NOT NULL,
    replica_id uuid NOT NULL,
    certificate_serial text NOT NULL,
    issuer_id text NOT NULL,
    instance text,
    dialect text NOT NULL,
    ambiguous boolean NOT NULL,
    peer text NOT NULL,
    opened_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL
  ) WITH (fillfactor = 60)`,
  // Counters that may be lost with the database's memory: they only slow down who comes back too often.
  `CREATE UNLOGGED TABLE stream_open_budgets (
    serial text PRIMARY KEY,
    tokens double precision NOT NULL,
    at timestamptz NOT NULL
  )`,
  `CREATE UNLOGGED TABLE refused_clients (
    serial text NOT NULL,
    address text NOT NULL,
    count integer NOT NULL,
    since timestamptz NOT NULL,
    blocks integer NOT NULL DEFAULT 0,
    blocked_until timestamptz,
    PRIMARY KEY (serial, address)
  )`,
);

const createTerminations = migration(
  'CreateTerminations1763700000002',
  `CREATE TABLE termination_requests (
    id uuid PRIMARY KEY,
    backend_id uuid NOT NULL,
    tenant_id text NOT NULL,
    type smallint NOT NULL CHECK (type IN (0, 1)),
    reason text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    stream_id uuid,
    state text NOT NULL CHECK (state IN ('recorded', 'delivered', 'closed', 'not_connected')),
    delivered_at timestamptz,
    closed_at timestamptz
  )`,
  'CREATE INDEX termination_requests_backend ON termination_requests (backend_id, requested_at DESC, id)',
  `CREATE UNIQUE INDEX termination_requests_open ON termination_requests (stream_id, type)
    WHERE state IN ('recorded', 'delivered')`,
);

const createRuns = migration(
  'CreateRuns1763700000003',
  `CREATE TABLE runs (
    id uuid PRIMARY KEY,
    backend_id uuid NOT NULL,
    computation_id text NOT NULL,
    stream_id uuid NOT NULL,
    instance text,
    requested_at timestamptz NOT NULL,
    sent_at timestamptz
  )`,
  'CREATE INDEX runs_computation ON runs (backend_id, computation_id)',
  'CREATE INDEX runs_unsent ON runs (stream_id) WHERE sent_at IS NULL',
  'CREATE INDEX runs_requested ON runs (requested_at)',
);

const createInformation = migration(
  'CreateInformation1763700000004',
  `CREATE TABLE backend_information (
    backend_id uuid PRIMARY KEY REFERENCES backends ON DELETE CASCADE,
    document jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id uuid NOT NULL
  )`,
);

export const backendsMigrations: MigrationClass[] = [
  createBackends,
  createStreams,
  createTerminations,
  createRuns,
  createInformation,
  ...agentsMigrations,
  ...commandsMigrations,
  ...vmsMigrations,
];
