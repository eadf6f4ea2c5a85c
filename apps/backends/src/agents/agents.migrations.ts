import { migration, type MigrationClass } from '@glacis/store';

/** `backends.md` 1: a backend is a host, or one VM, whose agent may open two streams (9). */
const addConfidentialVms = migration(
  'AddConfidentialVms1763710000030',
  `ALTER TABLE backends
     ADD COLUMN entity_type text NOT NULL DEFAULT 'backend' CHECK (entity_type IN ('backend', 'cvm')),
     ADD COLUMN host_id uuid REFERENCES backends`,
  `CREATE INDEX backends_hosted ON backends (host_id) WHERE host_id IS NOT NULL`,
);

/** A slot for each connection type of an agent. */
const addConnections = migration(
  'AddConnections1763710000031',
  `ALTER TABLE backend_streams
     ADD COLUMN connection text NOT NULL DEFAULT 'main' CHECK (connection IN ('main', 'log-forwarder')),
     DROP CONSTRAINT backend_streams_pkey,
     ADD PRIMARY KEY (backend_id, connection)`,
);

/** What agents tell of themselves, and the answers to runs. */
const createAgents = migration(
  'CreateAgents1763710000032',
  `CREATE TABLE agent_states (
    backend_id uuid PRIMARY KEY REFERENCES backends ON DELETE CASCADE,
    state text NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id uuid NOT NULL
  )`,
  `CREATE TABLE agent_evidence (
    backend_id uuid REFERENCES backends ON DELETE CASCADE,
    kind text CHECK (kind IN ('vtpm', 'azure')),
    file bytea NOT NULL,
    claimed_serial text NOT NULL,
    certificate_serial text NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id uuid NOT NULL,
    PRIMARY KEY (backend_id, kind)
  )`,
  `ALTER TABLE runs ADD COLUMN answered_at timestamptz, ADD COLUMN error text, ADD COLUMN agent_port text`,
  'CREATE INDEX runs_newest ON runs (backend_id, requested_at DESC, id)',
);

export const agentsMigrations: MigrationClass[] = [
  addConfidentialVms,
  addConnections,
  createAgents,
];
