import { readFile } from 'node:fs/promises';
import { parseJoinToken, placesOf, RpcDirectory } from '@glacis/grpc';
import { createLogger, Health, Metrics, Tracing } from '@glacis/observability';
import {
  choice,
  defineSettings,
  durationMs,
  host,
  optionalText,
  optionalUrl,
  secret,
  setting,
  SettingsError,
  text,
  type Setting,
  type SettingsDefinition,
  type Values,
} from '@glacis/settings';
import type { Host } from './host.module.js';

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

const addresses = optionalText.refine((list) => list === undefined || placesOf(list) !== null, {
  error: 'expected host:port, several of them with commas',
});

const joinToken = optionalText.transform((given, context) => {
  const token = given === undefined ? undefined : parseJoinToken(given);
  if (given === undefined || token !== undefined) return token;
  context.addIssue({
    code: 'custom',
    message: 'expected 32 random bytes or more, in hex or base64',
  });
  return undefined;
});

/** What a service that runs by itself needs beside its own settings. */
export const serviceProgramSettings: SettingsDefinition<
  typeof programShape & {
    databaseUrl: Setting<string>;
    startTimeout: Setting<number>;
    certsGrpcUrl: Setting<string | undefined>;
    backendsGrpcUrl: Setting<string | undefined>;
    joinToken: Setting<Buffer | undefined>;
    joinTokenFile: Setting<string | undefined>;
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
  certsGrpcUrl: setting(
    addresses,
    '',
    'host:port of the internal port of `certificates`; several replicas with commas, or behind one name.',
  ),
  backendsGrpcUrl: setting(addresses, '', 'The same for `backends`.'),
  joinToken: secret(
    joinToken,
    '',
    'Secret by which a service gets its certificate from `certificates`, the same there: 32 random bytes or more, in hex or base64.',
  ),
  joinTokenFile: setting(optionalText, '', 'File with the join token, in place of the setting.'),
});

export type ServiceProgramSettings = Values<typeof serviceProgramSettings.shape>;

/** @throws {SettingsError} when the file does not hold one */
export async function joinTokenOf(settings: ServiceProgramSettings): Promise<Buffer | undefined> {
  const { joinToken: given, joinTokenFile: file } = settings;
  if (file === undefined) return given;
  const name = 'GLACIS_JOIN_TOKEN_FILE';
  const content = await readFile(file, 'utf8').catch((error: Error) => {
    throw new SettingsError([{ name, reason: error.message }]);
  });
  const token = parseJoinToken(content.trim());
  if (token !== undefined) return token;
  const reason = `${file} does not hold 32 random bytes or more, in hex or base64`;
  throw new SettingsError([{ name, reason }]);
}

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
