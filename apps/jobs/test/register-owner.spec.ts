import { makeOwnerKey, signPolicy, type OwnerKey, type PolicyDocument } from '@glacis/shares';
import {
  ContractCalls,
  counting,
  expectBytes,
  hash,
  notFound,
  put,
  sample,
} from './contract-calls.js';
import { Stand } from './stand.js';

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.start({ settings: { openJobs: '1000' } });
  await stand.withoutParties();
});
afterAll(() => stand.stop());

const { created, register, submit, status, uploaded } = new ContractCalls(() => stand);

describe('jobs.md 2.3: register_data_owner', () => {
  test('links in party order, extensions behind them', async () => {
    const { job_id: id, query_hash: query } = await created();
    const { body } = await register(id, 'alice');
    expect(Object.keys(body).slice(0, 2)).toEqual(['presigned_urls', 'job_id']);
    expect(body).toMatchObject({
      job_id: id,
      upload_set: 1,
      share_header: ['Age_0', 'Age_1', 'Age#hi_0', 'Age#hi_1', '[Age]_0', '[Age]_1'],
      query_hash: query,
      limits: { min_group_size: 5, raw_rows: 'none' },
      owner_token: expect.any(String),
    });
    const parties = ['aws', 'aws', 'gcp'];
    expect(body.uploads).toMatchObject(parties.map((provider, party) => ({ party, provider })));
    const again = await register(id, 'alice');
    expect(again.body).toMatchObject({ upload_set: 2 });
    expect(again.body.owner_token).toBeUndefined();
    for (const url of [...body.presigned_urls, ...again.body.presigned_urls])
      expect((await put(url)).status).toBe(200);
  });

  test('resume gives links for what is missing only', async () => {
    const { job_id: id } = await created();
    const { presigned_urls: urls } = (await register(id, 'alice')).body;
    await put(urls[1]);
    const { body } = await register(id, 'alice', { resume: true });
    expect(body.upload_set).toBe(1);
    expect(body.presigned_urls).toEqual([expect.any(String), null, expect.any(String)]);
  });

  test('jobs.md 13: names of owners', async () => {
    const { job_id: id } = await created();
    for (const name of ['', 'x'.repeat(257), 'a\u0000', '\ud800', 7, ['a'], {}])
      expect((await register(id, name as string)).status).toBe(400);
    const names = ['../x', 'a/b', 'A', 'a', '\u00e9', 'e\u0301', 'x'.repeat(256)];
    const replies = await Promise.all(names.map((name) => register(id, name)));
    const keys = replies.map(({ body }) => new URL(body.presigned_urls[0]).pathname);
    expect(new Set(keys).size).toBe(names.length);
    expect(keys.join()).not.toContain('..');
  });

  test('unknown jobs, by whatever id', async () => {
    for (const id of ['12345', '../x', 'a\u0000b', '\ud800', '0'.repeat(1000)])
      expectBytes(await register(id, 'alice'), 404, notFound(id));
    for (const id of ['x'.repeat(1025), 7, {}])
      expect((await register(id as string, 'alice')).body.error).toBe('invalid fields');
    const missing = await stand.send('GET', '/get_status');
    expectBytes(missing, 400, '{"error":"missing necessary fields","missing_fields":["job_id"]}');
    const repeated = await stand.send('GET', '/get_status?job_id=a&job_id=b');
    expect(repeated.body.error).toBe('invalid fields');
    expectBytes(await status('12345'), 404, notFound('12345'));
    expectBytes(await submit('12345'), 404, notFound('12345'));
  });

  test('a job of two tables asks for the table', async () => {
    const { job_id: id } = await created({
      ...counting,
      query_sql: 'SELECT COUNT(*) FROM a JOIN b ON a.k = b.k',
      schema: {},
      tables: { a: { k: { type: 'INTEGER', unit: '', unique: true } }, b: { k: '' } },
    });
    const none = await register(id, 'alice');
    expectBytes(none, 400, '{"error":"missing necessary fields","missing_fields":["table"]}');
    expect((await register(id, 'alice', { table: 'c' })).body.details[0].code).toBe(
      'unknown_table',
    );
    const good = await register(id, 'alice', { table: 'b' });
    expect(good.body.share_header).toEqual(['k_0', 'k_1', '[k]_0', '[k]_1']);
    expect((await submit(id)).status).toBe(500);
  });

  test('more than 20 sets, more than 30 links in an hour', async () => {
    const { job_id: id } = await created();
    for (let i = 0; i < 20; i++) expect((await register(id, 'alice')).status).toBe(200);
    expectBytes(await register(id, 'alice'), 429, '{"error":"Too many requests"}');
  });
});

describe('jobs.md 8.1: signed policies', () => {
  let key: OwnerKey;
  beforeAll(async () => {
    key = await makeOwnerKey(false);
  });

  async function signed(
    job: { job_id: string; query_hash: string; schema_hash: string },
    limits: PolicyDocument['limits'],
    change: Partial<PolicyDocument> = {},
  ): Promise<Record<string, unknown>> {
    const document: PolicyDocument = {
      consent_raw_rows: false,
      data_owner: 'alice',
      issued_at: '2026-11-22T08:00:00Z',
      job_id: job.job_id,
      limits,
      policy: { default: 'allow', extremes: true },
      query_hash: job.query_hash,
      schema_hash: job.schema_hash,
      table: null,
      ...change,
    };
    const { policy, consent_raw_rows, issued_at } = document;
    const signature = await signPolicy(document, key);
    return { owner_key: key.publicKey, policy, consent_raw_rows, issued_at, signature };
  }

  test('a good signature, one over another query, one byte changed, one of another key', async () => {
    const job = await created();
    const { limits } = (await register(job.job_id, 'alice', { owner_key: key.publicKey })).body;
    const good = await signed(job, limits);
    expect((await register(job.job_id, 'alice', good)).status).toBe(200);
    const other = await signed(job, limits, { query_hash: hash('x') });
    const wider = { ...good, policy: { default: 'allow', extremes: false } };
    for (const wrong of [{ ...good, signature: other['signature'] }, wider]) {
      const { status: code, body } = await register(job.job_id, 'alice', wrong);
      expect([code, body.invalid_fields, body.details[0].code]).toEqual([
        400,
        ['signature'],
        'bad_signature',
      ]);
    }
    const stranger = (await makeOwnerKey(false)).publicKey;
    expectBytes(
      await register(job.job_id, 'alice', { owner_key: stranger }),
      409,
      JSON.stringify({
        error: 'Owner key does not match',
        job_id: job.job_id,
        code: 'owner_key_mismatch',
      }),
    );
    expect((await register(job.job_id, 'alice')).body.code).toBe('owner_key_mismatch');
    const changed = { owner_key: key.publicKey, expect_query_hash: hash('x') };
    expectBytes(
      await register(job.job_id, 'alice', changed),
      409,
      JSON.stringify({ error: 'Query has changed', job_id: job.job_id, code: 'query_changed' }),
    );
  });

  test('policies without signature, of unknown members and of unknown columns', async () => {
    const job = await created();
    const codes = async (more: object): Promise<unknown> =>
      (await register(job.job_id, 'alice', more)).body.details[0].code;
    expect(await codes({ policy: { default: 'deny' } })).toBe('missing_signature');
    const { limits } = (await register(job.job_id, 'bob')).body;
    const good = await signed(job, limits);
    expect(await codes({ ...good, policy: { default: 'deny', more: 1 } })).toBe('bad_policy');
    const columns = { Size: { filter: true } };
    expect(await codes({ ...good, policy: { default: 'deny', columns } })).toBe('bad_policy');
  });

  test('consent counts only when it is signed', async () => {
    const job = await created(sample);
    const unsigned = await uploaded(job.job_id, 'bob', { consent_raw_rows: true });
    expect(unsigned.body.warnings[0].code).toBe('consent_not_signed');
    expect((await submit(job.job_id)).status).toBe(500);
    const report = await stand.send('GET', `/jobs/${job.job_id}/validation`, {
      headers: { authorization: `Bearer ${job.analyst_token}` },
    });
    expect(report.body).toMatchObject({
      ok: false,
      findings: [{ owner: 'bob', code: 'raw_rows_not_consented' }],
    });
  });

  test('a policy that forbids what the query does stops submit', async () => {
    const job = await created();
    const { limits } = (await register(job.job_id, 'alice', { owner_key: key.publicKey })).body;
    await uploaded(job.job_id, 'alice', await signed(job, limits, { policy: { default: 'deny' } }));
    expect((await submit(job.job_id)).status).toBe(500);
    const headers = { authorization: `Bearer ${job.analyst_token}` };
    const { body } = await stand.send('GET', `/jobs/${job.job_id}/validation`, { headers });
    expect(body.findings).toEqual([
      expect.objectContaining({
        owner: 'alice',
        code: 'policy_violation',
        column: 'Age',
        use: 'AVG',
      }),
    ]);
  });
});
