import { migration } from '@glacis/store';

/**
 * Schemas and policies are `json`, which keeps the order of members. `event_seq` and `log_seq` number the events and log
 * lines of a job; counting locks the row, so they are written in the order of their numbers.
 */
export const createJobs = migration(
  'CreateJobs1763900000000',
  `CREATE TABLE jobs (
     id uuid PRIMARY KEY,
     tenant text NOT NULL,
     analyst text,
     name text NOT NULL,
     sql text NOT NULL,
     query_hash text NOT NULL,
     schema json NOT NULL,
     schema_hash text NOT NULL,
     placement json NOT NULL,
     execution text NOT NULL,
     isolation text NOT NULL,
     min_group_size integer NOT NULL,
     min_owners integer NOT NULL,
     max_share_percent integer NOT NULL,
     deadline_seconds integer NOT NULL,
     result_key text,
     salt bytea NOT NULL,
     options json NOT NULL,
     limits json NOT NULL,
     policy_needed json NOT NULL,
     warnings json NOT NULL,
     state text NOT NULL,
     reached text,
     attempt integer NOT NULL,
     progress real NOT NULL,
     failure json,
     cancel_reason text,
     teardown text,
     lease_owner text,
     lease_token uuid,
     lease_until timestamptz(3),
     created_at timestamptz(3) NOT NULL,
     updated_at timestamptz(3) NOT NULL,
     submitted_at timestamptz(3),
     started_at timestamptz(3),
     ended_at timestamptz(3),
     deadline_at timestamptz(3),
     acknowledged_at timestamptz(3),
     event_seq bigint NOT NULL DEFAULT 0,
     log_seq bigint NOT NULL DEFAULT 0
   )`,
  'CREATE INDEX jobs_list ON jobs (tenant, created_at DESC, id DESC)',
  'CREATE INDEX jobs_analyst ON jobs (tenant, analyst, created_at DESC, id DESC)',
  `CREATE INDEX jobs_live ON jobs (lease_until)
     WHERE state NOT IN ('created', 'success', 'fail', 'cancelled')`,
  'CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL',
  `CREATE TABLE job_parties (
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     party integer NOT NULL,
     provider text NOT NULL,
     in_bucket text NOT NULL,
     out_bucket text NOT NULL,
     seal_key text,
     mac_key text,
     PRIMARY KEY (job, party),
     CONSTRAINT job_parties_in UNIQUE (in_bucket),
     CONSTRAINT job_parties_out UNIQUE (out_bucket)
   )`,
  `CREATE TABLE plans (
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     attempt integer NOT NULL,
     version integer NOT NULL,
     plan text NOT NULL,
     hash text NOT NULL,
     created_at timestamptz(3) NOT NULL,
     PRIMARY KEY (job, attempt, version)
   )`,
  `CREATE TABLE job_events (
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     seq bigint NOT NULL,
     at timestamptz(3) NOT NULL,
     event text NOT NULL,
     owner text,
     data json NOT NULL,
     PRIMARY KEY (job, seq)
   )`,
  `CREATE TABLE job_logs (
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     seq bigint NOT NULL,
     at timestamptz(3) NOT NULL,
     attempt integer NOT NULL,
     step text,
     party integer,
     level text NOT NULL,
     agent boolean NOT NULL,
     text text NOT NULL,
     PRIMARY KEY (job, seq)
   )`,
  `CREATE TABLE validations (
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     number integer NOT NULL,
     at timestamptz(3) NOT NULL,
     ok boolean NOT NULL,
     findings json NOT NULL,
     PRIMARY KEY (job, number)
   )`,
);

/** Owner names compare by code points. A name that no registration or claim has bound has no row. */
export const createOwners = migration(
  'CreateOwners1763900000001',
  `CREATE TABLE owners (
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     name text COLLATE "C" NOT NULL,
     dir text NOT NULL,
     key text,
     sequence integer,
     claimed_at timestamptz(3),
     bound_at timestamptz(3) NOT NULL,
     PRIMARY KEY (job, name)
   )`,
  `CREATE TABLE upload_sets (
     job uuid NOT NULL,
     owner text COLLATE "C" NOT NULL,
     number integer NOT NULL,
     table_name text NOT NULL,
     files json,
     expires_at timestamptz(3) NOT NULL,
     created_at timestamptz(3) NOT NULL,
     withdrawn boolean NOT NULL DEFAULT false,
     PRIMARY KEY (job, owner, number),
     FOREIGN KEY (job, owner) REFERENCES owners ON DELETE CASCADE
   )`,
  `CREATE TABLE url_mints (
     job uuid NOT NULL,
     owner text COLLATE "C" NOT NULL,
     at timestamptz(3) NOT NULL,
     FOREIGN KEY (job, owner) REFERENCES owners ON DELETE CASCADE
   )`,
  'CREATE INDEX url_mints_owner ON url_mints (job, owner, at)',
  `CREATE TABLE policies (
     job uuid NOT NULL,
     owner text COLLATE "C" NOT NULL,
     number integer NOT NULL,
     table_name text,
     policy json,
     consent_raw_rows boolean NOT NULL,
     issued_at text NOT NULL,
     signed_text text NOT NULL,
     signature text NOT NULL,
     created_at timestamptz(3) NOT NULL,
     withdrawn boolean NOT NULL DEFAULT false,
     PRIMARY KEY (job, owner, number),
     FOREIGN KEY (job, owner) REFERENCES owners ON DELETE CASCADE
   )`,
  `CREATE TABLE pins (
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     party integer NOT NULL,
     owner text COLLATE "C" NOT NULL,
     kind text NOT NULL,
     number integer NOT NULL,
     table_name text,
     bucket text NOT NULL,
     key text NOT NULL,
     version text,
     size bigint NOT NULL,
     etag text NOT NULL,
     PRIMARY KEY (job, party, key)
   )`,
  `CREATE TABLE claims (
     hash bytea PRIMARY KEY,
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     owner text COLLATE "C" NOT NULL,
     expires_at timestamptz(3) NOT NULL,
     used_at timestamptz(3)
   )`,
  `CREATE TABLE job_tokens (
     id uuid PRIMARY KEY,
     job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
     role text NOT NULL,
     owner text COLLATE "C",
     expires_at timestamptz(3),
     revoked_at timestamptz(3)
   )`,
  'CREATE INDEX job_tokens_job ON job_tokens (job)',
);
