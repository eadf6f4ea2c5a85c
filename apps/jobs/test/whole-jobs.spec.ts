import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ComputeProviders } from '../src/compute/compute-providers.js';
import { endOf, example, expectedOf, prepared, rowsByCity, statusOf, submit } from './story.js';
import { Stand } from './stand.js';

let stand: Stand;

beforeAll(async () => {
  // Parties of this host do not go the way of those elsewhere.
  stand = await Stand.start({ settings: { agentsUrl: 'https://jobs.example:5001' } });
});
afterAll(() => stand.stop());

describe('jobs.md: a whole job in local execution', () => {
  it('goes from create_job to the opened rows over three processes, and leaves none', async () => {
    const service = stand.program;
    const job = await prepared(service);
    expect((await statusOf(service, job)).status).toBe(409);
    const submitted = await submit(service, job);
    expect(submitted).toMatchObject({ status: 200, body: { status: 'success', job_id: job.id } });
    const { body } = await endOf(service, job);
    expect(body).toMatchObject({ status: 'Success', execution: 'local', teardown: 'done' });
    expect(await rowsByCity(body.result)).toEqual(expectedOf(example));
    const [compute] = stand.get(ComputeProviders).all();
    expect(await compute?.listByTag({}, { timeoutMs: 1_000 })).toEqual([]);
    const kept = await readdir(join(stand.folder, 'jobs', 'parties', job.id, '0'));
    expect(kept.filter((name) => name !== 'agent.json' && !name.endsWith('.key'))).toEqual([]);
  });
});
