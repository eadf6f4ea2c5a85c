import { pino } from 'pino';

export type Log = pino.Logger;

/**
 * JSON lines on standard output with upper-case levels, as upstream managers write them and their operators' rules
 * expect. Written at once, so that a last line is never lost.
 */
export function createLog(
  level: string,
  destination: pino.DestinationStream = pino.destination({ dest: 1, sync: true }),
): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    destination,
  );
}
