import { migration, type MigrationClass } from '@glacis/store';

/** Commands on their way from the replica that was asked to the one that holds the stream; nobody waits for them for long. */
export const commandsMigrations: MigrationClass[] = [
  migration(
    'CreateStreamCommands1763710000050',
    `CREATE UNLOGGED TABLE stream_commands (
      id uuid PRIMARY KEY,
      backend_id uuid NOT NULL,
      kind text NOT NULL,
      payload bytea NOT NULL,
      expires_at timestamptz NOT NULL,
      taken_by uuid,
      outcome jsonb
    )`,
    'CREATE INDEX stream_commands_open ON stream_commands (backend_id) WHERE taken_by IS NULL',
  ),
  migration(
    'AddAskers1763710000051',
    `ALTER TABLE stream_commands ADD COLUMN asker jsonb NOT NULL DEFAULT '{"actor":"system"}'`,
  ),
];
