import { RpcDirectory } from '@glacis/grpc';
import { createLogger, Health, Metrics, Tracing } from '@glacis/observability';
import {
  choice,
  defineSettings,
  durationMs,
  host,
  optionalUrl,
  setting,
  text,
  type Setting,
  type SettingsDefinition,
  type Values,
} from '@glacis/settings';
import type { Host } from './host.module.js';
import { peerShape } from './peers.js';

/** Settings that every program has, below `GLACIS_`. */
export const programShape: {
  host: Setting<string>;
  logLevel: Setting<'debug' | 'info' | 'warn' | 'error'>;
  traceEndpoint: Setting<string | undefined>;
} = {
  host: setting(host, '127.0.0.1', 'Address that HTTP is listened for on.'),
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
};

/** What a service that runs by itself needs beside its own settings. */
export const serviceProgramSettings: SettingsDefinition<
  typeof programShape &
    typeof peerShape & {
      databaseUrl: Setting<string>;
      startTimeout: Setting<number>;
    }
> = defineSettings('GLACIS_', {
  ...programShape,
  databaseUrl: setting(
    text,
    undefined,
    'Postgres 15 or newer, where the service keeps a schema of its own. `DATABASE_URL` is read as well.',
  ),
  startTimeout: setting(
    durationMs,
    '60s',
    'How long a start waits for the database; then it fails and says why.',
  ),
  ...peerShape,
});

export type ServiceProgramSettings = Values<typeof serviceProgramSettings.shape>;

/** @param name the program, in logs and traces */
export function makeHost(
  name: string,
  settings: Values<typeof programShape>,
  databaseUrl: string,
): Host {
  return {
    logger: createLogger({ name, level: settings.logLevel }),
    metrics: new Metrics(),
    health: new Health(),
    tracing: new Tracing({ service: name, endpoint: settings.traceEndpoint }),
    directory: new RpcDirectory(),
    databaseUrl,
  };
}
