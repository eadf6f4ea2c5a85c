import { waitFor } from '@glacis/runtime';
import {
  claimJob,
  JobsApi,
  makeOwnerKey,
  openJob,
  parseClaimLink,
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
  /** Of the analyst. */
  token: string;
  step: Step;
  /** Where its parties run; by default at three. */
  providers?: readonly string[];
}

interface Job {
  id: string;
  /** With the analyst's token, or that of this job where the service gives one. */
  api: JobsApi;
  key: KeyPair;
}

/** The second main job: three owners' data is averaged, and nobody sees it. */
export async function tellJobStory(stage: Stage): Promise<void> {
  const { door, step } = stage;
  const job = await ask(stage);
  await step('three owners sign and share their data', async () => {
    for (const name of Object.keys(owners)) {
      const { claim_url: link } = await job.api.post<{ claim_url: string }>(
        `/jobs/${job.id}/owners`,
        { data_owner: name },
      );
      await share(new JobsApi(door), name, link);
    }
    return { value: undefined, note: '120 rows, three shares of each' };
  });
  await step('three parties compute on shares', async () => {
    await job.api.post('/submit_job', { job_id: job.id });
    await waitFor(() => hasSucceeded(job), { deadlineMs: 180_000, what: 'the job to succeed' });
    return { value: undefined, note: 'three processes, TLS between them' };
  });
  await open(job, step);
}

async function ask({ door, token, step, providers }: Stage): Promise<Job> {
  return step('ask for an average over three owners', async () => {
    const key = await x25519KeyPair();
    const api = new JobsApi(door, token);
    const created = await api.post<{ job_id: string; analyst_token?: string }>('/create_job', {
      ...analysis,
      ...(providers && { cloud_providers: providers }),
      result_key: key.publicKey,
    });
    const { job_id: id, analyst_token: own = token } = created;
    return { value: { id, api: api.with(own), key }, note: `job ${id}` };
  });
}

/** What an owner does with the link that it was sent. */
async function share(anyone: JobsApi, dataOwner: string, link: string): Promise<void> {
  const { jobId, claim } = parseClaimLink(link) ?? {};
  if (!jobId || !claim) throw new Error(`${link} is no claim link`);
  const key = await makeOwnerKey(false);
  const { token } = await claimJob(anyone, claim, key);
  const api = anyone.with(token);
  const { job } = await readJob(api, jobId);
  const table = tableOf(job);
  const owner: Owner = { jobId, dataOwner, key, table: null };
  const grant = { job, policy: table.needed, consentRawRows: false };
  const made = await prepare(csvOf(dataOwner), table, await register(api, owner, { grant }));
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
