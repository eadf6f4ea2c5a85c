import { existsSync, readFileSync } from 'node:fs';
import { JobsApi } from '@glacis/shares';
import type { Context } from '../context.js';
import { keptJob } from './keep.js';
import type { KeepFlags } from './options.js';

/**
 * The service with the token of a job that was kept when it was created, else with that of `--token-file`; without either
 * nobody in particular asks, which mode `open` allows.
 */
export function jobsApi({ server, tokenFile }: Context, flags: KeepFlags, jobId?: string): JobsApi {
  const kept = jobId === undefined ? undefined : keptJob(flags.keep, jobId).read()?.analyst_token;
  const platform = existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : undefined;
  return new JobsApi(server, kept ?? platform);
}

/** The path of a job below `/jobs`. */
export const jobPath = (jobId: string, ...parts: string[]): string =>
  ['/jobs', jobId, ...parts]
    .map((part, i) => (i === 0 ? part : encodeURIComponent(part)))
    .join('/');

/** Adds the members that have a value. */
export function withQuery(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}
