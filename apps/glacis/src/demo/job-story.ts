import { waitFor } from '@glacis/runtime';
import {
  JobsApi,
  makeOwnerKey,
  openJob,
  prepare,
  readJob,
  register,
  storeShares,
  tableOf,
  x25519KeyPair,
  type JobResults,
  type KeyPair,
  type Owner,
} from '@glacis/shares';
import { analysis, averages, csvOf, owners } from './people.js';
import type { Step } from './story.js';

interface Stage {
  /** Address of the suite. */
  door: string;
  step: Step;
}

interface Job {
  id: string;
  /** With the analyst's token of this job. */
  api: JobsApi;
  key: KeyPair;
}

/** The second main job: three owners' data is averaged, and nobody sees it. */
export async function tellJobStory({ door, step }: Stage): Promise<void> {
  const job = await ask(door, step);
  await step('three owners sign and share their data', async () => {
    for (const name of Object.keys(owners)) await share(new JobsApi(door), job.id, name);
    return { value: undefined, note: '120 rows, three shares of each' };
  });
  await step('three parties compute on shares', async () => {
    await job.api.post('/submit_job', { job_id: job.id });
    await waitFor(() => hasSucceeded(job), { deadlineMs: 60_000 });
    return { value: undefined, note: 'three processes, TLS between them' };
  });
  await open(job, step);
}

async function ask(door: string, step: Step): Promise<Job> {
  return step('ask for an average over three owners', async () => {
    const key = await x25519KeyPair();
    const open = new JobsApi(door);
    const created = await open.post<{ job_id: string; analyst_token: string }>('/create_job', {
      ...analysis,
      result_key: key.publicKey,
    });
    const { job_id: id, analyst_token: token } = created;
    return { value: { id, api: open.with(token), key }, note: `job ${id}` };
  });
}

async function share(anyone: JobsApi, jobId: string, dataOwner: string): Promise<void> {
  const owner: Owner = { jobId, dataOwner, key: await makeOwnerKey(false), table: null };
  const { owner_token: token } = await register(anyone, owner, {});
  const api = anyone.with(token);
  const { job } = await readJob(api, jobId);
  const table = tableOf(job);
  const grant = { job, policy: table.needed, consentRawRows: false };
  const registered = await register(api, owner, { grant, resume: true });
  const made = await prepare(csvOf(dataOwner), table, registered);
  if ('findings' in made) throw new Error(JSON.stringify(made.findings));
  await storeShares(api, owner, made.files, async ({ url, headers, bytes }) => {
    const { status } = await fetch(url, { method: 'PUT', headers, body: bytes });
    return status;
  });
}

async function hasSucceeded({ id, api }: Job): Promise<boolean> {
  const { status, error } = await api.get<{ status: string; error?: string }>(
    `/get_status?job_id=${id}`,
  );
  if (status === 'Fail') throw new Error(error);
  return status === 'Success';
}

async function open({ id, api, key: { privateKey } }: Job, step: Step): Promise<void> {
  await step('only the analyst opens the result', async () => {
    const results = await api.get<JobResults>(`/jobs/${id}/results`);
    const { rows } = await openJob(api, id, results, { privateKey });
    const shown = rows.map((row) => row.map(({ text }) => text).join(' ')).toSorted();
    if (shown.join() !== averages().join()) throw new Error(`opened ${shown.join()}`);
    return { value: undefined, note: `${shown.join(', ')}; west: under 5 people, held back` };
  });
}
