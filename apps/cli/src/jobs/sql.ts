import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { jobsApi } from './calls.js';
import { createJob, dryRun, sayDryRun, sayWarnings } from './create.js';
import type { KeepFlags } from './options.js';
import { inviteOwner, uploadsOf } from './owners.js';
import { ProgressBar } from './progress.js';
import { requestOf, type QueryFlags } from './request.js';
import { openJob, type OpenFlags } from './results.js';
import { submitJob } from './submit.js';
import { watchJob } from './watch.js';

export interface SqlFlags extends QueryFlags, KeepFlags, OpenFlags {
  owners: string;
  dryRun?: boolean;
  yes?: boolean;
}

/** `glacis jobs sql FILE`: from the query to its rows (jobs.md 3.2). */
export async function runSql(context: Context, file: string, flags: SqlFlags): Promise<void> {
  const { agrees, say, show } = context;
  const request = await requestOf(context, file, flags);
  const plan = await dryRun(jobsApi(context, flags), request);
  sayDryRun(context, plan);
  if (flags.dryRun) {
    if (context.form !== 'text') show({ object: { ...plan } });
    return;
  }
  if (!flags.yes && !(await agrees('Create the job?'))) throw new ExitError('nothing was created');
  const created = await createJob(jobsApi(context, flags), request, flags);
  sayWarnings(context, created.warnings);
  await runJob(context, created.job_id, flags);
  say(`job ${created.job_id}`);
}

async function runJob(context: Context, jobId: string, flags: SqlFlags): Promise<void> {
  const { say, screen } = context;
  const api = jobsApi(context, flags, jobId);
  const names = flags.owners.split(',').map((name) => name.trim());
  for (const name of names) {
    const { claim_url: url, expires_at: end } = await inviteOwner(api, jobId, name);
    screen.write(`for ${name}, until ${end}: ${url}\n`);
  }
  const bar = new ProgressBar(screen, 'uploads');
  await uploadsOf(api, jobId, names, (done) =>
    bar.show(done / names.length, `${done} of ${names.length} owners`),
  );
  bar.end();
  await submitJob(context, api, jobId);
  say('submitted');
  await watchJob(context, api, jobId);
  await openJob(context, api, jobId, flags);
}
