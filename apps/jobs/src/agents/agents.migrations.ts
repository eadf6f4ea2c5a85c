import { migration, type MigrationClass } from '@glacis/store';

/** Party agents and what they are told to do (jobs.md 10.2). */
export const agentsMigrations: MigrationClass[] = [
  migration(
    'CreateAgents1763900000020',
    `CREATE TABLE agents (
      id uuid PRIMARY KEY,
      job_id uuid NOT NULL,
      attempt integer NOT NULL,
      party integer NOT NULL,
      tenant text NOT NULL,
      provider text NOT NULL,
      instance jsonb,
      token_sha256 bytea NOT NULL UNIQUE,
      token_until timestamptz NOT NULL,
      started_at timestamptz NOT NULL,
      enrolled_at timestamptz,
      certificate_sha256 bytea UNIQUE,
      certificate_until timestamptz,
      uri text,
      mac_key text,
      heard_at timestamptz,
      ended_at timestamptz
    )`,
    // Never two living agents of one party and attempt, whoever starts them.
    'CREATE UNIQUE INDEX agents_living ON agents (job_id, attempt, party) WHERE ended_at IS NULL',
    'CREATE INDEX agents_of_job ON agents (job_id)',
    // `json`, which keeps the order of columns in a schema: share files have theirs.
    `CREATE TABLE agent_instructions (
      id uuid PRIMARY KEY,
      agent_id uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
      step text NOT NULL,
      plan_hash text,
      body json NOT NULL,
      created_at timestamptz NOT NULL,
      accepted_at timestamptz,
      ended_at timestamptz,
      failure jsonb,
      findings jsonb,
      result jsonb,
      UNIQUE (agent_id, step)
    )`,
    `CREATE TABLE agent_reports (
      agent_id uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
      id text NOT NULL,
      PRIMARY KEY (agent_id, id)
    )`,
  ),
];
