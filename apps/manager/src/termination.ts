import type { DialectName } from '@glacis/grpc';
import type { Log } from './log.js';

/** What comes between upstream's sentence and the text of the server: builds from `v0.3` on changed it. */
const separators: Record<DialectName, string> = {
  seed: '\n',
  'v0.2': '\n',
  'v0.3': ': ',
  'v0.4': ': ',
};

/** The two lines that upstream managers print when the server terminates them, word for word (`backends.md` 5). */
export function logTermination(log: Log, dialect: DialectName, text: string): void {
  const sentence = 'manager service terminated: server requested client termination';
  log.error(`${sentence}${separators[dialect]}${text}`);
  log.error('Error shutting down tracer provider: context canceled');
}
