import { pino } from 'pino';

/** Structured logger: a constant message, the data in fields. ERROR means that a person must act. */
export type Logger = pino.Logger;

/** Injection token of the process's logger, provided by a global module of the host program. */
export const LOGGER = Symbol('LOGGER');

export interface LoggerOptions {
  /** The program or service, in the field `name`. */
  name: string;
  /** fatal, error, warn, info (default), debug, trace or silent. */
  level?: string;
  /** Where the lines go; standard error by default. */
  destination?: pino.DestinationStream;
}

/** Members whose values never reach a log line, at the top level and up to two levels below. */
const secretMembers = [
  'authorization',
  'Authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'downloadToken',
  'private_key',
  'privateKey',
  'key_pem',
];

/** A logger that writes one JSON object per line, with times in RFC 3339 and level names. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretMembers.flatMap((member) => [member, `*.${member}`, `*.*.${member}`]),
        censor: '********',
      },
    },
    options.destination ?? pino.destination(2),
  );
}
