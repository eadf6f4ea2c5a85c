import { homedir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';

/** How `glacis jobs …` ends (jobs.md 3.2). */
export const jobExits = { refusedQuery: 2, data: 3, runFailed: 4, deadline: 5 } as const;

/** Where keys and tokens of single jobs are kept. */
export interface KeepFlags {
  keep: string;
}

export const keepOption = (command: Command): Command =>
  command.addOption(
    new Option('--keep <dir>', 'folder for keys and tokens of jobs, readable by you alone')
      .env('GLACIS_JOBS_KEEP')
      .default(join(homedir(), '.config', 'glacis', 'jobs')),
  );
