import {
  choice,
  defineSettings,
  host,
  optionalUrl,
  optionalText,
  port,
  setting,
  text,
  type Values,
} from '@glacis/settings';

/** Settings of the embedded suite itself; each service has its own beside them. */
export const suiteSettings = defineSettings('GLACIS_', {
  host: setting(host, '127.0.0.1', 'Address that the door and the manager stream listen on.'),
  port: setting(port, '8080', 'Port of the door; 0 takes a free one.'),
  dataDir: setting(text, '.glacis', 'Folder of the database, the keys and the first token.'),
  databaseUrl: setting(
    optionalText,
    '',
    'Postgres 15 or newer to use in place of the embedded one. `DATABASE_URL` is read as well.',
  ),
  logLevel: setting(
    choice('debug', 'info', 'warn', 'error'),
    'warn',
    'Least severe log record that is written, as JSON on standard error.',
  ),
  traceEndpoint: setting(
    optionalUrl,
    '',
    'OTLP/HTTP collector for traces, such as http://127.0.0.1:4318; empty: none are sent.',
  ),
});

export type SuiteSettings = Values<typeof suiteSettings.shape>;
