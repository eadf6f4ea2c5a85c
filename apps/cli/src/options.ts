import type { Command } from 'commander';

/** Gathers the values of an option that may be given several times. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

export interface PageOptions {
  offset?: string;
  limit?: string;
}

/** The paging options of every list; the server checks them (limit 1 to 100, default 10). */
export function pageOptions(command: Command): Command {
  return command
    .option('--offset <n>', 'how many to skip')
    .option('--limit <n>', 'how many at the most, 1 to 100');
}
