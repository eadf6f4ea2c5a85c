import {
  checkFile,
  describeJob,
  digest,
  policyLines,
  prepare,
  readJob,
  register,
  tableOf,
  storeShares,
  StoreError,
  type Grant,
  type JobTable,
  type OwnerFinding,
  type OwnerPolicy,
  type Registered,
} from '@glacis/shares';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { jobExits } from './options.js';
import { send } from './put.js';
import { contentOf, jsonOf } from './request.js';
import {
  forgetShares,
  keepShares,
  keptShares,
  openSession,
  ownerOf,
  remember,
  type Pending,
  type Session,
  type SessionFlags,
} from './session.js';
import { findingText } from './submit.js';

export interface ShareFlags extends SessionFlags {
  table?: string;
  policy?: string;
  rawRows?: boolean;
  yes?: boolean;
}

/** `glacis jobs share FILE.csv` (jobs.md 3.2). */
export async function share(context: Context, file: string, flags: ShareFlags): Promise<void> {
  const csv = contentOf(file);
  const session = await openSession(context, flags);
  const registered = await introduce(session, flags.table);
  const read = await readJob(session.api, session.jobId);
  const table = tableOf(read.job, flags.table);
  const policy = flags.policy === undefined ? table.needed : jsonOf<OwnerPolicy>(flags.policy);
  sayJob(context, describeJob(read), policy);
  refuse(context, await checkFile(csv, table));
  if (!flags.yes && !(await context.agrees('Sign this and share the file?')))
    throw new ExitError('nothing was signed or shared');
  const grant = { job: read.job, policy, consentRawRows: flags.rawRows === true };
  const pending = await pendingOf(context, session, { csv, table, grant, registered });
  await storeAll(context, session, pending);
  forgetShares(session, pending);
  const { set, files } = pending;
  context.show({ list: files.map((file, party) => ({ set, party, ...file })), columns: COLUMNS });
}

const COLUMNS = ['set', 'party', 'rows', 'sha256'];

/** Without a claim the first registration gives the token with which the job is read. */
async function introduce(session: Session, table?: string): Promise<Registered | undefined> {
  if (session.kept.read()?.token !== undefined) return undefined;
  const registered = await register(session.api, ownerOf(session, table ?? null), {});
  remember(session, registered);
  return registered;
}

function sayJob(
  { say }: Context,
  sections: ReturnType<typeof describeJob>,
  policy: OwnerPolicy,
): void {
  const granted = { title: 'You would sign', lines: policyLines(policy) };
  for (const { title, lines } of [...sections, granted]) {
    say(title);
    for (const line of lines) say(`  ${plain(line)}`);
  }
}

function refuse({ screen }: Context, findings: readonly OwnerFinding[]): void {
  for (const finding of findings) screen.write(`${findingText(finding)}\n`);
  if (findings.length > 0)
    throw new ExitError('the file does not fit the schema; nothing was shared', jobExits.data);
}

interface Wish {
  csv: string;
  table: JobTable;
  grant: Grant;
  registered?: Registered;
}

/** The shares of an earlier run of the same file, else new ones in a new set. */
async function pendingOf(context: Context, session: Session, wish: Wish): Promise<Pending> {
  const { csv, table, grant } = wish;
  const source = await digest(Buffer.from(csv));
  const owner = ownerOf(session, table.name);
  const earlier = session.kept.read()?.pending;
  const same = earlier?.source === source && earlier.table === table.name;
  const resume = same && (await keptShares(session, earlier)) !== undefined;
  if (resume) return earlier;
  // A set that the introduction opened and that holds nothing yet is used, not left behind.
  const registered = await register(session.api, owner, {
    grant,
    ...(wish.registered && { resume: true }),
  });
  const made = await prepare(csv, table, registered);
  if ('findings' in made) return refused(context, made.findings);
  for (const name of made.ignored) context.say(`column ${plain(name)} is not shared`);
  const set = registered.upload_set;
  return keepShares(session, { table: table.name, source, set }, made.files);
}

function refused(context: Context, findings: OwnerFinding[]): never {
  refuse(context, findings);
  throw new ExitError('the file does not fit the schema');
}

async function storeAll(context: Context, session: Session, pending: Pending): Promise<void> {
  const owner = ownerOf(session, pending.table);
  const shares = (await keptShares(session, pending)) ?? [];
  try {
    await storeShares(session.api, owner, shares, (body, party) => send(context, body, party));
  } catch (error) {
    if (!(error instanceof StoreError) || error.final) throw error;
    throw new ExitError(`${error.message}; the same command goes on where it ended`);
  }
}
