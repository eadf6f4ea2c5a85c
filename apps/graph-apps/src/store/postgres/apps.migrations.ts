import { migration } from '@glacis/store';

/**
 * `graph` is `json`, which keeps the order of the keys as they were written. `turn` counts every write of a row,
 * `revision` those that callers can see. Names sort by code point, as cursors do.
 */
export const createApps = migration(
  'CreateApps1763800000000',
  `CREATE TABLE apps (
     id uuid PRIMARY KEY,
     tenant text NOT NULL,
     namespace text COLLATE "C" NOT NULL,
     name text COLLATE "C" NOT NULL,
     description text NOT NULL,
     labels json NOT NULL,
     uid text,
     active boolean NOT NULL,
     active_version integer NOT NULL,
     version_count integer NOT NULL,
     last_version integer NOT NULL,
     version_status json NOT NULL,
     phase text,
     seen text,
     status text NOT NULL,
     last_edit timestamptz(3) NOT NULL,
     last_deployment timestamptz(3),
     revision bigint NOT NULL,
     turn bigint NOT NULL,
     CONSTRAINT apps_name UNIQUE (namespace, name)
   )`,
  'CREATE INDEX apps_tenant ON apps (tenant, namespace, name)',
  'CREATE INDEX apps_deployed ON apps (namespace, name) WHERE uid IS NOT NULL',
  `CREATE TABLE versions (
     app uuid NOT NULL REFERENCES apps ON DELETE CASCADE,
     number integer NOT NULL,
     hash text NOT NULL,
     notes text NOT NULL,
     source text NOT NULL,
     created_at timestamptz(3) NOT NULL,
     last_deployment timestamptz(3),
     graph json NOT NULL,
     PRIMARY KEY (app, number)
   )`,
  'CREATE INDEX versions_hash ON versions (app, hash, number)',
);
