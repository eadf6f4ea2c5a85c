import { migration } from '@glacis/store';

export const createNodeConfigs = migration(
  'CreateNodeConfigs1763800000001',
  `CREATE TABLE node_configs (
     id text COLLATE "C" PRIMARY KEY,
     tenant text NOT NULL,
     title text NOT NULL,
     config json NOT NULL,
     type text NOT NULL,
     node_type text NOT NULL,
     message text,
     created_at timestamptz(3) NOT NULL,
     modified_at timestamptz(3),
     version integer NOT NULL
   )`,
  'CREATE INDEX node_configs_tenant ON node_configs (tenant, id)',
);
