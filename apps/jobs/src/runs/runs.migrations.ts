import { migration, type MigrationClass } from '@glacis/store';

/** Steps of attempts (jobs.md 9), and what their exports have reported. */
export const runsMigrations: MigrationClass[] = [
  migration(
    'CreateRuns1763900000021',
    `CREATE TABLE job_steps (
      job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      attempt integer NOT NULL,
      step text NOT NULL,
      place integer NOT NULL,
      tries integer NOT NULL DEFAULT 0,
      started_at timestamptz(3),
      ended_at timestamptz(3),
      failure json,
      PRIMARY KEY (job, attempt, step)
    )`,
    `CREATE TABLE job_results (
      job uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      attempt integer NOT NULL,
      party integer NOT NULL,
      bytes bigint NOT NULL,
      sha256 text NOT NULL,
      sealed boolean NOT NULL,
      slots integer NOT NULL,
      receipt json NOT NULL,
      PRIMARY KEY (job, attempt, party)
    )`,
  ),
];
