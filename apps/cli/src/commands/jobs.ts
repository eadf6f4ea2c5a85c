import type { Command } from 'commander';
import type { Act, Context } from '../context.js';
import { registerOwner, uploadShares, type ByHandFlags } from '../jobs/by-hand.js';
import { jobPath, jobsApi, withQuery } from '../jobs/calls.js';
import { createJob, dryRun, sayDryRun } from '../jobs/create.js';
import { keepOption, type KeepFlags } from '../jobs/options.js';
import { inviteOwner, ownersOf } from '../jobs/owners.js';
import { checkPolicy } from '../jobs/policy.js';
import { queryOptions, requestOf, type QueryFlags } from '../jobs/request.js';
import { openJob, type OpenFlags } from '../jobs/results.js';
import { share, type ShareFlags } from '../jobs/share.js';
import { runSql, type SqlFlags } from '../jobs/sql.js';
import { submitJob } from '../jobs/submit.js';
import { watchJob } from '../jobs/watch.js';

type Row = Record<string, unknown>;

const exits = `
Exit codes of sql, share, submit and watch: 0 result, 1 refused by the server or a check failed, 2 wrong usage or a query
that is refused, 3 data or policy (the file does not fit, the run found a fault), 4 the run failed, 5 past its deadline.`;

/** `glacis jobs …`: SQL over the data of several owners (jobs.md 3.2). */
export function jobCommands(program: Command, act: Act): void {
  const jobs = program
    .command('jobs')
    .alias('job')
    .description('SQL over secret shares of several owners’ data')
    .addHelpText('after', exits);
  analystCommands(jobs, act);
  ownerCommands(jobs, act);
  readCommands(jobs, act);
  changeCommands(jobs, act);
}

const verb = (jobs: Command, name: string, description: string): Command =>
  keepOption(jobs.command(name).description(description));

function analystCommands(jobs: Command, act: Act): void {
  const sql = queryOptions(verb(jobs, 'sql <file>', 'runs a query from its text to its rows'))
    .requiredOption('--owners <names>', 'owners whose data is asked for, in commas')
    .option('--dry-run', 'stop before anything is created')
    .option('--yes', 'do not ask')
    .option('--ca <file>', 'CA that the receipts of the parties must chain to');
  act(sql, (context, [file = '-'], flags: SqlFlags) => runSql(context, file, flags));

  const dry = queryOptions(verb(jobs, 'dry-run <file>', 'compiles a query: leakage, cost, policy'));
  act(dry, async (context, [file = '-'], flags: QueryFlags & KeepFlags) => {
    const request = await requestOf(context, file, flags);
    const plan = await dryRun(jobsApi(context, flags), request);
    sayDryRun(context, plan);
    if (context.form !== 'text') context.show({ object: { ...plan } });
  });

  const create = queryOptions(verb(jobs, 'create <file>', 'creates a job; its result opens here'));
  act(create, async (context, [file = '-'], flags: QueryFlags & KeepFlags) => {
    const request = await requestOf(context, file, flags);
    const { analyst_token: _, ...job } = await createJob(jobsApi(context, flags), request, flags);
    context.show({ object: job });
  });

  const open = verb(jobs, 'open <job>', 'opens the result: checks receipts and shares, prints rows')
    .option('--ca <file>', 'CA that the receipts of the parties must chain to')
    .option('--ack', 'tell the service that the result may go');
  act(open, (context, [id = ''], flags: OpenFlags) =>
    openJob(context, jobsApi(context, flags, id), id, flags),
  );
}

const ownerOptions = (command: Command): Command =>
  command
    .option('--claim <url>', 'the link that the analyst sent')
    .option('--job <id>', 'the job, where there is no link')
    .option('--owner <name>', 'whose data it is, with --job')
    .option('--table <name>', 'which table it is, where the job has two');

function ownerCommands(jobs: Command, act: Act): void {
  const command = ownerOptions(
    verb(jobs, 'share <file>', 'shares a CSV file with the parties of a job'),
  )
    .option(
      '--policy <file>',
      'what the data may be used for (JSON); default: what the query needs',
    )
    .option('--raw-rows', 'consent to single rows in the result')
    .option('--yes', 'do not ask');
  act(command, (context, [file = ''], flags: ShareFlags) => share(context, file, flags));

  const register = verb(
    jobs,
    'register',
    'opens an upload set and prints its links; signs nothing',
  );
  act(ownerOptions(register), (context, _, flags: ByHandFlags) => registerOwner(context, flags));

  const upload = verb(jobs, 'upload <files...>', 'uploads share files made elsewhere, by party');
  act(ownerOptions(upload), (context, files, flags: ByHandFlags) =>
    uploadShares(context, files, flags),
  );

  const policy = jobs.command('policy').description('policies of data owners');
  const check = keepOption(
    policy.command('check <file> <job>').description('compares a policy with what a query needs'),
  ).option('--table <name>', 'of this table alone');
  act(check, (context, [file = '', id = ''], flags: KeepFlags & { table?: string }) =>
    checkPolicy(context, [file, id], flags),
  );
}

function readCommands(jobs: Command, act: Act): void {
  const list = verb(jobs, 'list', 'lists jobs, newest first')
    .option('--state <state>', 'in this state alone')
    .option('--name <text>', 'of this name alone')
    .option('--created-after <time>', 'RFC 3339')
    .option('--cursor <cursor>', 'next page')
    .option('--limit <n>', '1 to 200');
  act(list, async (context, _, flags: KeepFlags & Record<string, string>) => {
    const { state, name, createdAfter: created_after, cursor, limit } = flags;
    const path = withQuery('/jobs', { state, name, created_after, cursor, limit });
    const page = await jobsApi(context, flags).get<{ items: Row[]; next_cursor?: string }>(path);
    context.show({ list: page.items, columns: ['job_id', 'analysis_name', 'state', 'created_at'] });
    if (page.next_cursor) context.say(`next page: --cursor ${page.next_cursor}`);
  });

  const reads: [string, string, (id: string) => string][] = [
    ['show', 'shows a job', (id) => jobPath(id)],
    ['status', 'shows what get_status says', (id) => withQuery('/get_status', { job_id: id })],
    ['results', 'shows where the result files are', (id) => jobPath(id, 'results')],
    ['plan', 'shows the plan of a job', (id) => jobPath(id, 'plan')],
  ];
  for (const [name, description, path] of reads)
    act(verb(jobs, `${name} <job>`, description), async (context, [id = ''], flags: KeepFlags) =>
      context.show({ object: await jobsApi(context, flags, id).get<Row>(path(id)) }),
    );

  const logs = verb(jobs, 'logs <job>', 'shows the log of a job')
    .option('--step <step>', 'of this step alone')
    .option('--party <n>', 'of this party alone')
    .option('--level <level>', 'of this level alone')
    .option('--since <time>', 'RFC 3339')
    .option('--cursor <cursor>', 'next page');
  act(logs, async (context, [id = ''], flags: KeepFlags & Record<string, string>) => {
    const { step, party, level, since, cursor } = flags;
    const path = withQuery(jobPath(id, 'logs'), { step, party, level, since, cursor });
    const { items } = await jobsApi(context, flags, id).get<{ items: Row[] }>(path);
    context.show({ list: items, columns: ['time', 'attempt', 'step', 'party', 'level', 'text'] });
  });
}

function changeCommands(jobs: Command, act: Act): void {
  const submit = verb(jobs, 'submit <job>', 'checks the data of a job and starts its run');
  act(submit, async (context, [id = ''], flags: KeepFlags) => {
    await submitJob(context, jobsApi(context, flags, id), id);
    context.say('submitted');
  });

  const watch = verb(jobs, 'watch <job>', 'follows a job to its end');
  act(watch, async (context, [id = ''], flags: KeepFlags) => {
    await watchJob(context, jobsApi(context, flags, id), id);
    context.say('success');
  });

  const cancel = verb(jobs, 'cancel <job>', 'cancels a job').option('--reason <text>', 'recorded');
  act(cancel, async (context, [id = ''], flags: KeepFlags & { reason?: string }) => {
    await change(context, { id, flags, to: 'cancel', body: { reason: flags.reason } });
  });

  const retry = verb(jobs, 'retry <job>', 'runs a failed job again').option(
    '--from <step>',
    'failed, start or created',
    'failed',
  );
  act(retry, async (context, [id = ''], flags: KeepFlags & { from: string }) => {
    await change(context, { id, flags, to: 'retry', body: { from: flags.from } });
  });

  const owners = verb(jobs, 'owners <job>', 'lists the owners of a job, or invites one').option(
    '--invite <name>',
    'makes a one-use link for this owner',
  );
  act(owners, async (context, [id = ''], flags: KeepFlags & { invite?: string }) => {
    const api = jobsApi(context, flags, id);
    if (flags.invite !== undefined)
      return context.show({ object: { ...(await inviteOwner(api, id, flags.invite)) } });
    const list = (await ownersOf(api, id)).map((row) => ({ ...row }));
    context.show({ list, columns: ['data_owner', 'table', 'sets', 'effective_set'] });
  });

  const remove = verb(jobs, 'delete <job>', 'deletes a job that has ended, with its buckets');
  act(remove, async (context, [id = ''], flags: KeepFlags) => {
    await jobsApi(context, flags, id).call('DELETE', jobPath(id));
    context.say(`deletion of ${id} requested`);
  });
}

/** Asks for a change of the job, and shows the job as it is then. */
async function change(
  context: Context,
  { id, flags, to, body }: { id: string; flags: KeepFlags; to: 'cancel' | 'retry'; body: Row },
): Promise<void> {
  context.show({ object: await jobsApi(context, flags, id).post<Row>(jobPath(id, to), body) });
}
