import { Store } from '@glacis/store';
import { waitFor } from '@glacis/runtime';
import { JobFeed } from '../src/jobs/job-feed.js';
import { Transitions } from '../src/jobs/transitions.js';
import { JobsStore } from '../src/jobs/jobs.store.js';
import type { JobState } from '../src/state.js';
import { Stand, type Reply } from './stand.js';

const request = {
  analysis_name: 'Ages by city',
  query_sql: "SELECT city, COUNT(*), AVG(Age) FROM t WHERE city <> 'Rome' GROUP BY city",
  security_level: 'semi',
  cloud_providers: ['aws', 'gcp', 'azure'],
  schema: { Age: 'years', city: { type: 'CATEGORY', categories: ['Bern', 'Oslo', 'Rome'] } },
};

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.start({ settings: { openJobs: '1000' } });
  await stand.withoutParties();
});
afterAll(() => stand.stop());

interface Made {
  id: string;
  /** Calls as the analyst of the job. */
  as: (method: string, path: string, body?: unknown) => Promise<Reply>;
}

async function made(): Promise<Made> {
  const { body } = await stand.send('POST', '/create_job', { body: request });
  return { id: body.job_id, as: caller(body.job_id, body.analyst_token) };
}

function caller(id: string, token: string): Made['as'] {
  const headers = { authorization: `Bearer ${token}` };
  return (method, path, body) => stand.send(method, `/jobs/${id}${path}`, { body, headers });
}

const admin = async (): Promise<Record<string, string>> => ({
  authorization: await stand.identity.bearer({
    tenant: 'default',
    subject: 'root',
    roles: ['admin'],
  }),
});

/** Leads a job through states as its run would. */
async function lead(id: string, ...states: JobState[]): Promise<void> {
  for (const to of states) {
    const job = await stand.get(JobsStore).find(id);
    const failure = {
      class: 'data',
      code: 'out_of_range',
      message: 'a value',
      step: 'run',
    } as const;
    const more = to === 'failing' ? { failure } : {};
    await stand
      .get(Store)
      .transaction((tx) => stand.get(Transitions).transition(tx, job!, to, more));
  }
}

const running: JobState[] = ['validating', 'submitted', 'creating_vms'];

describe('jobs.md 3: jobs', () => {
  test('a job as its analyst, an admin and a stranger see it', async () => {
    const { id, as } = await made();
    const shown = await as('GET', '');
    expect(shown.body).toMatchObject({
      job_id: id,
      analysis_name: 'Ages by city',
      state: 'created',
      label: null,
      execution: 'local',
      isolation: 'process',
      placement: ['aws', 'gcp', 'azure'],
      parties: [0, 1, 2].map((party) => ({ party, driver: 'local', health: 'none' })),
      plan_version: 1,
      attempt: 1,
      cost: { estimate: 0, spent: 0, currency: null },
    });
    const byAdmin = await stand.send('GET', `/jobs/${id}`, { headers: await admin() });
    expect(byAdmin.body.job_id).toBe(id);
    const strange = { authorization: await stand.identity.bearer({ tenant: 'default' }) };
    const foreign = await stand.send('GET', `/jobs/${id}`, { headers: strange });
    expect(foreign).toMatchObject({
      status: 404,
      body: {
        code: 'not_found',
        type: 'https://glacis.dev/problems/not-found',
        instance: `/jobs/${id}`,
      },
    });
    expect(foreign.headers['content-type']).toBe('application/problem+json');
    expect((await stand.send('GET', `/jobs/${id}`)).status).toBe(401);
    expect((await as('GET', '/../nothing')).status).toBe(404);
  });

  test('lists, newest first, page by page', async () => {
    const bearer = await stand.identity.bearer({ tenant: 'paging', subject: 'ann' });
    const headers = { authorization: bearer };
    const ids: string[] = [];
    for (let i = 0; i < 5; i++)
      ids.unshift(
        (await stand.send('POST', '/create_job', { body: request, headers })).body.job_id,
      );
    const seen: string[] = [];
    for (let cursor = ''; cursor !== null;) {
      const query = cursor && `&cursor=${cursor}`;
      const { body } = await stand.send('GET', `/jobs?limit=2${query}`, { headers });
      seen.push(...body.items.map((item: { job_id: string }) => item.job_id));
      cursor = body.next_cursor;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    const other = {
      authorization: await stand.identity.bearer({ tenant: 'paging', subject: 'bob' }),
    };
    expect((await stand.send('GET', '/jobs', { headers: other })).body.items).toEqual([]);
    for (const query of ['limit=0', 'limit=201', 'cursor=x', 'state=none', 'created_after=now'])
      expect((await stand.send('GET', `/jobs?${query}`, { headers })).body.code).toBe('bad_query');
  });

  test('a dry run makes nothing and needs no token', async () => {
    const before = await stand.count('jobs');
    const body = { ...request, rows: 100 };
    const reply = await stand.send('POST', '/jobs/dry_run', { body });
    expect(reply.body).toMatchObject({
      operators: expect.arrayContaining(['scan', 'group', 'finalise']),
      policy_needed: { data: { columns: { city: { filter: true, group: true } } } },
      leakage: expect.arrayContaining([expect.stringContaining('The analyst learns')]),
      estimate: { rounds: expect.any(Number), bytes_per_party: expect.any(Number) },
    });
    const refused = { ...request, query_sql: 'SELECT x FROM t' };
    const bad = await stand.send('POST', '/jobs/dry_run', { body: refused });
    expect([bad.status, bad.body.reason.code]).toEqual([400, 'unknown_column']);
    expect(await stand.count('jobs')).toBe(before);
  });

  test('the plan, with cost and leakage, and without what only parties are told', async () => {
    const { as } = await made();
    const { body } = await as('GET', '/plan');
    expect(body).toMatchObject({
      version: 1,
      hash: expect.stringMatching(/^sha256:/),
      limits: { min_group_size: 5 },
      estimate: { rounds: expect.any(Number) },
      leakage: expect.any(Array),
    });
    expect(body.facts).toBeUndefined();
  });

  test('cancel before and after submit, and not twice', async () => {
    const early = await made();
    const done = await early.as('POST', '/cancel', { reason: 'no more' });
    expect([done.status, done.body]).toEqual([200, { job_id: early.id, state: 'cancelled' }]);
    const again = await early.as('POST', '/cancel');
    expect([again.status, again.body.code]).toEqual([409, 'already_ended']);
    const late = await made();
    await lead(late.id, ...running);
    const accepted = await late.as('POST', '/cancel');
    expect([accepted.status, accepted.body.state]).toEqual([202, 'cancelling']);
    const { body } = await stand.send('GET', `/get_status?job_id=${late.id}`);
    expect(body.status).toBe('Creating VMs');
  });

  test('retry, where there is something to try again', async () => {
    const { id, as } = await made();
    expect((await as('POST', '/retry', { from: 'start' })).body.code).toBe('not_failed');
    await lead(id, ...running, 'failing', 'fail');
    const { body } = await stand.send('GET', `/get_status?job_id=${id}`);
    expect(body).toMatchObject({ status: 'Fail', error: 'Failed. Last status is Creating VMs.' });
    expect((await as('POST', '/retry', { from: 'failed' })).body.code).toBe('not_retryable');
    expect((await as('POST', '/retry', { from: 'x' })).status).toBe(400);
    const opened = await as('POST', '/retry', { from: 'created' });
    expect([opened.status, opened.body]).toEqual([202, { job_id: id, attempt: 2 }]);
    expect(
      (await stand.send('POST', '/register_data_owner', { body: { job_id: id, data_owner: 'a' } }))
        .status,
    ).toBe(200);
  });

  test('what check has failed on the data of an owner is kept from the analyst', async () => {
    const { id, as } = await made();
    await lead(id, ...running, 'failing', 'fail');
    expect((await as('GET', '')).body.failure.code).toBe('owner_data_rejected');
    const byAdmin = await stand.send('GET', `/jobs/${id}`, { headers: await admin() });
    expect(byAdmin.body.failure.code).toBe('out_of_range');
  });

  test('delete: not while it runs; then nothing of it is there, and its token ends', async () => {
    const { id, as } = await made();
    await lead(id, ...running);
    expect((await as('DELETE', '')).body.code).toBe('running');
    await lead(id, 'failing', 'fail');
    expect((await as('DELETE', '')).status).toBe(202);
    expect((await as('GET', '')).status).toBe(401);
    expect(await stand.events('job.deleted')).toContainEqual({ job_id: id });
    const audit = await stand.send('GET', `/audit/jobs?subject=${id}`, { headers: await admin() });
    expect(audit.text).toContain('job.delete');
    expect(audit.text).not.toContain('Rome');
  });

  test('results: not before there are any, and for the analyst only', async () => {
    const { id, as } = await made();
    for (const [method, path] of [
      ['GET', '/results'],
      ['POST', '/results/ack'],
    ] as const)
      expect((await as(method, path)).body.code).toBe('not_finished');
    const byAdmin = await stand.send('GET', `/jobs/${id}/results`, { headers: await admin() });
    expect(byAdmin.status).toBe(403);
  });
});

describe('jobs.md 3: events', () => {
  test('a list, and a stream that resumes without gap or repeat and ends', async () => {
    const { id, as } = await made();
    const listed = await as('GET', '/events');
    expect(listed.body.items).toEqual([
      {
        id: 1,
        event: 'state',
        at: expect.any(String),
        data: { state: 'created', attempt: 1, label: null, progress: 0 },
      },
    ]);
    const headers = { accept: 'text/event-stream', 'last-event-id': '1', ...(await admin()) };
    const reading = fetch(`${stand.program.url}/jobs/${id}/events`, { headers });
    await lead(id, ...running, 'failing', 'fail');
    const text = await (await reading).text();
    expect(text.startsWith('retry: 3000\n\n')).toBe(true);
    const events = [...text.matchAll(/^id: (\d+)\nevent: (\w+)\ndata: (.*)$/gm)].map(
      ([, seq, event]) => [Number(seq), event],
    );
    expect(events).toEqual([
      [2, 'state'],
      [3, 'state'],
      [4, 'state'],
      [5, 'state'],
      [6, 'end'],
    ]);
  });

  test('a reader that takes nothing and is more than 1 MiB behind is closed', async () => {
    const { id } = await made();
    // More than the buffers of a connection take.
    await stand.get(Store).query(
      `INSERT INTO job_events (job, seq, at, event, data)
         SELECT $1, n, now(), 'log', json_build_object('text', repeat('x', 100000)) FROM generate_series(2, 400) AS n`,
      [id],
    );
    const headers = { accept: 'text/event-stream', ...(await admin()) };
    const reading = await stand.open('GET', `/jobs/${id}/events`, { headers });
    const feed = stand.get(JobFeed);
    expect(feed.size).toBe(1);
    await waitFor(() => feed.size === 0, { what: 'the end of the stream', deadlineMs: 60_000 });
    reading.destroy();
  });

  test('a stream ends with the service', async () => {
    const other = await Stand.start();
    await other.withoutParties();
    const { body } = await other.send('POST', '/create_job', { body: request });
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${body.analyst_token}` };
    const incoming = await other.open('GET', `/jobs/${body.job_id}/events`, { headers });
    const ended = waitFor(async () => incoming.closed, { what: 'the end', deadlineMs: 30_000 });
    incoming.resume();
    await other.stop();
    expect(await ended).toBe(true);
  });
});

describe('jobs.md 3, 12: owners', () => {
  test('a link is used once, and what comes of it is that owner', async () => {
    const { id, as } = await made();
    const { body: link } = await as('POST', '/owners', { data_owner: 'alice' });
    const { pathname, hash } = new URL(link.claim_url);
    expect(pathname).toBe(`/ui/jobs/${id}/share`);
    const claim = hash.slice('#claim='.length);
    const key = Buffer.alloc(32, 9).toString('base64url');
    const use = (): Promise<Reply> =>
      stand.send('POST', '/jobs/claims', { body: { claim, owner_key: key } });
    const used = await use();
    expect(used.headers['cache-control']).toBe('no-store');
    expect(used.body).toMatchObject({ job_id: id, data_owner: 'alice', token: expect.any(String) });
    const again = await use();
    expect([again.status, again.body.code, again.body.used_at]).toEqual([
      410,
      'claim_used',
      expect.any(String),
    ]);
    const other = await stand.send('POST', '/jobs/claims', { body: { claim: 'x' } });
    expect([other.status, other.body.code]).toEqual([410, 'claim_expired']);
    const owner = caller(id, used.body.token);
    const seen = await owner('GET', '');
    expect(Object.keys(seen.body)).toEqual([
      'job_id',
      'analysis_name',
      'query_sql',
      'query_hash',
      'schema',
      'tables',
      'schema_hash',
      'limits',
      'policy_needed',
      'placement',
      'execution',
      'isolation',
      'retention',
      'state',
      'sets',
    ]);
    for (const path of ['/owners', '/results', '/logs'])
      expect((await owner('GET', path)).status).toBe(403);
    expect((await owner('POST', '/cancel')).status).toBe(403);
    const registered = await stand.send('POST', '/register_data_owner', {
      body: { job_id: id, data_owner: 'alice', owner_key: key },
      headers: { authorization: `Bearer ${used.body.token}` },
    });
    expect(registered.status).toBe(200);
    const { body } = await as('GET', '/owners');
    expect(body.items).toMatchObject([
      {
        data_owner: 'alice',
        sequence: 1,
        table: null,
        sets: [{ set: 1, files: [false, false, false], complete: false }],
        owner_key: expect.stringMatching(/^sha256:/),
        claimed_at: expect.any(String),
        effective_set: null,
      },
    ]);
  });

  test('unregistering takes files and links away, and the name stays bound', async () => {
    const { id, as } = await made();
    const key = Buffer.alloc(32, 8).toString('base64url');
    const body = { job_id: id, data_owner: 'a/b', owner_key: key };
    const registered = await stand.send('POST', '/register_data_owner', { body });
    const urls: string[] = registered.body.presigned_urls;
    const put = (url = ''): Promise<Response> => fetch(url, { method: 'PUT', body: 'x' });
    expect((await put(urls[0])).status).toBe(200);
    const gone = await as('DELETE', `/owners/${encodeURIComponent('a/b')}`);
    expect(gone.status).toBe(204);
    // Something empty lies in its place.
    expect((await put(urls[1])).status).toBe(412);
    expect((await as('GET', '/owners')).body.items).toEqual([]);
    expect((await as('DELETE', `/owners/${encodeURIComponent('a/b')}`)).status).toBe(404);
    const keyless = { job_id: id, data_owner: 'a/b' };
    expect((await stand.send('POST', '/register_data_owner', { body: keyless })).status).toBe(409);
    const token = registered.body.owner_token;
    expect((await caller(id, token)('GET', '')).status).toBe(401);
    const anew = await stand.send('POST', '/register_data_owner', { body });
    expect(anew.body.upload_set).toBe(2);
  });

  test('after submit owners stay as they are', async () => {
    const { id, as } = await made();
    await stand.send('POST', '/register_data_owner', { body: { job_id: id, data_owner: 'alice' } });
    await lead(id, ...running);
    expect((await as('POST', '/owners', { data_owner: 'bob' })).body.code).toBe('submitted');
    expect((await as('DELETE', '/owners/alice')).body.code).toBe('submitted');
  });
});
