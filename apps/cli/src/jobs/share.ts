import {
  ApiError,
  checkFile,
  describeJob,
  digest,
  policyLines,
  prepare,
  readJob,
  register,
  tableOf,
  uploadBody,
  type Grant,
  type JobTable,
  type Owner,
  type OwnerFinding,
  type OwnerPolicy,
  type Registered,
} from '@glacis/shares';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { jobExits } from './options.js';
import { ProgressBar } from './progress.js';
import { put } from './put.js';
import { contentOf, jsonOf } from './request.js';
import {
  forgetShares,
  keep,
  keepShares,
  keptShares,
  openSession,
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

/** Rounds of links and uploads until it is given up; a later run goes on from there. */
const ROUNDS = 5;

/** `glacis jobs share FILE.csv` (jobs.md 3.2). */
export async function share(context: Context, file: string, flags: ShareFlags): Promise<void> {
  const csv = contentOf(file);
  const session = await openSession(context, flags);
  const registered = await introduce(session);
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
  context.show({ list: files.map((each, party) => ({ set, party, ...each })), columns: COLUMNS });
}

const COLUMNS = ['set', 'party', 'rows', 'bytes', 'sha256'];

const ownerOf = ({ jobId, dataOwner, key }: Session, table: string | null): Owner => ({
  jobId,
  dataOwner,
  key,
  table,
});

/** Without a claim the first registration gives the token with which the job is read. */
async function introduce(session: Session): Promise<Registered | undefined> {
  if (session.kept.read()?.token !== undefined) return undefined;
  const registered = await register(session.api, ownerOf(session, null), {});
  const { owner_token: token } = registered;
  keep(session, { data_owner: session.dataOwner, token });
  if (token !== undefined) session.api = session.api.with(token);
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
  const files = made.files.map(({ bytes, sha256, rows }) => {
    return { rows, bytes: bytes.length, sha256 };
  });
  const pending = { table: table.name, source, set: registered.upload_set, files };
  await keepShares(
    session,
    pending,
    made.files.map(({ bytes }) => bytes),
  );
  return pending;
}

function refused(context: Context, findings: OwnerFinding[]): never {
  refuse(context, findings);
  throw new ExitError('the file does not fit the schema');
}

/** PUTs what is missing, with fresh links each round. */
async function storeAll(context: Context, session: Session, pending: Pending): Promise<void> {
  const shares = (await keptShares(session, pending)) ?? [];
  const owner = ownerOf(session, pending.table);
  const { files } = pending;
  let trouble = 'the service wants other files';
  for (let round = 1; round <= ROUNDS; round += 1) {
    const { uploads } = await register(session.api, owner, { files, resume: true });
    const missing = uploads.filter(({ url }) => url !== null);
    if (missing.length === 0) return;
    try {
      for (const upload of missing) await store(context, upload, shares[upload.party]);
      return;
    } catch (error) {
      if (error instanceof ApiError || error instanceof ExitError) throw error;
      trouble = error instanceof Error ? error.message : String(error);
    }
  }
  throw new ExitError(`not all files are stored (${trouble}); the same command goes on`);
}

async function store(
  { screen }: Context,
  upload: Registered['uploads'][number],
  bytes?: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const body = bytes && (await uploadBody(upload, bytes));
  if (!body) return;
  const bar = new ProgressBar(screen, `party ${upload.party}`);
  try {
    const total = body.bytes.length;
    const status = await put(body, (sent) => bar.show(sent / total, `${sent} of ${total} bytes`));
    // 412: an earlier try came through though its answer did not.
    if ((status >= 200 && status < 300) || status === 412) return;
    if (status === 409) throw new ExitError('the job has been submitted');
    if (status === 413) throw new ExitError('the share file is too large for this job');
    throw new Error(`party ${upload.party} answered ${status}`);
  } finally {
    bar.end();
  }
}
