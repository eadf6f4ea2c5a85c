import { joinTokenShape, programShape } from '@glacis/host';
import { defineSettings, optionalText, port, setting, text, type Values } from '@glacis/settings';

/** Settings of the embedded suite itself; each service has its own beside them. */
export const suiteSettings = defineSettings('GLACIS_', {
  ...programShape,
  port: setting(port, '8080', 'Port of the door; 0 takes a free one.'),
  dataDir: setting(text, '.glacis', 'Folder of the database, the keys and the first token.'),
  databaseUrl: setting(
    optionalText,
    '',
    'Postgres 15 or newer to use in place of the embedded one. `DATABASE_URL` is read as well.',
  ),
  ...joinTokenShape,
});

export type SuiteSettings = Values<typeof suiteSettings.shape>;
