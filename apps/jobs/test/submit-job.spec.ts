import { Store } from '@glacis/store';
import { ContentCheck } from '../src/runs/content-check.js';
import { LostValidations } from '../src/validation/lost-validations.js';
import { ContractCalls, expectBytes, put } from './contract-calls.js';
import { Stand } from './stand.js';

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.start({ settings: { openJobs: '1000' } });
  await stand.withoutParties();
});
afterAll(() => stand.stop());

const { created, register, submit, status, uploaded } = new ContractCalls(() => stand);

describe('jobs.md 2.4, 2.5: submit_job and get_status', () => {
  const rejected = (id: string): string =>
    JSON.stringify({ error: 'Data validation failed', job_id: id });

  test('from no owner to a submitted job', async () => {
    const { job_id: id, analyst_token: token } = await created();
    const notYet = JSON.stringify({
      error: 'Cannot get the status. Please check if the job is submitted.',
      job_id: id,
    });
    const codes = async (): Promise<string[]> => {
      const headers = { authorization: `Bearer ${token}` };
      const { body } = await stand.send('GET', `/jobs/${id}/validation`, { headers });
      return body.findings.map(({ code }: { code: string }) => code);
    };
    expectBytes(await status(id), 409, notYet);
    const none = await submit(id);
    expectBytes(none, 500, rejected(id));
    expect(none.headers.link).toBe(`</jobs/${id}/validation>; rel="describedby"`);
    expect(await codes()).toEqual(['no_owners']);
    const { presigned_urls: urls } = (await register(id, 'alice')).body;
    expectBytes(await submit(id), 500, rejected(id));
    expect(await codes()).toEqual(['missing_file', 'missing_file', 'missing_file']);
    for (const url of urls) expect((await put(url)).status).toBe(200);
    expectBytes(await status(id), 409, notYet);
    expectBytes(await submit(id), 200, JSON.stringify({ status: 'success', job_id: id }));
    expectBytes(
      await submit(id),
      409,
      JSON.stringify({ error: 'Duplicated submission', job_id: id }),
    );
    expectBytes(
      await register(id, 'bob'),
      409,
      JSON.stringify({
        error: 'The job has been submitted. Cannot register to a submitted job.',
        job_id: id,
      }),
    );
    expect((await put(urls[0])).status).toBe(409);
    const { text, body } = await status(id);
    expect(text.startsWith(JSON.stringify({ status: 'Submitted', job_id: id }).slice(0, -1))).toBe(
      true,
    );
    expect(body).toMatchObject({
      execution: 'local',
      isolation: 'process',
      attempt: 1,
      progress: 0,
    });
  });

  test('jobs.md 13: twenty submits at once: one 200, nineteen 409', async () => {
    const { job_id: id } = await created();
    await uploaded(id, 'alice');
    const replies = await Promise.all(Array.from({ length: 20 }, () => submit(id)));
    const codes = replies.map(({ status: code }) => code).toSorted((a, b) => a - b);
    expect(codes).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    expect(await stand.events('job.submitted')).toContainEqual({ job_id: id, attempt: 1 });
  });

  test('jobs.md 9: a lease of 30 s holds while data is checked; one that was lost opens the job again', async () => {
    const { job_id: id } = await created();
    await uploaded(id, 'alice');
    const store = stand.get(Store);
    const check = stand.get(ContentCheck);
    const run = check.run.bind(check);
    let lease: { seconds: number } | undefined;
    check.run = async () => {
      [lease] = await store.query<{ seconds: number }>(
        'SELECT extract(epoch FROM lease_until - now())::float8 AS seconds FROM jobs WHERE id = $1',
        [id],
      );
      return [{ code: 'bad_file', message: 'as if' }];
    };
    await submit(id);
    check.run = run;
    expect(lease?.seconds).toBeGreaterThan(15);
    expect(lease?.seconds).toBeLessThanOrEqual(30);
    await store.query(
      `UPDATE jobs SET state = 'validating', lease_token = gen_random_uuid(), lease_until = now() WHERE id = $1`,
      [id],
    );
    await stand.get(LostValidations).run();
    expect((await submit(id)).status).toBe(200);
  });

  test('registrations during a submit: 200 before or 409 after, and none is lost', async () => {
    const { job_id: id, analyst_token: token } = await created();
    await uploaded(id, 'first');
    const names = Array.from({ length: 10 }, (_, i) => `owner ${i}`);
    const [submitted, ...replies] = await Promise.all([
      submit(id),
      ...names.map((name) => register(id, name)),
    ]);
    const headers = { authorization: `Bearer ${token}` };
    const { body } = await stand.send('GET', `/jobs/${id}/owners`, { headers });
    const known = body.items.map((item: { data_owner: string }) => item.data_owner);
    const taken = names.filter((_, i) => replies[i]?.status === 200);
    expect(known).toEqual(expect.arrayContaining(taken));
    expect(replies.every(({ status: code }) => [200, 409].includes(code))).toBe(true);
    expect([200, 500]).toContain(submitted?.status);
  });

  test('an empty file, one of another length than declared', async () => {
    const { job_id: id, analyst_token: token } = await created();
    const files = Array.from({ length: 3 }, () => ({ bytes: 9, rows: 1, sha256: '0'.repeat(64) }));
    const { presigned_urls: urls } = (await register(id, 'alice', { files })).body;
    await put(urls[0], '');
    await put(urls[1], '123456789');
    await put(urls[2], '1234');
    expect((await submit(id)).status).toBe(500);
    const headers = { authorization: `Bearer ${token}` };
    const { body } = await stand.send('GET', `/jobs/${id}/validation`, { headers });
    const found = body.findings.map((each: { party: number; code: string }) => [
      each.party,
      each.code,
    ]);
    expect(found).toEqual([
      [0, 'empty_file'],
      [2, 'size_mismatch'],
    ]);
  });
});
