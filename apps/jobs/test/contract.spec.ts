import { createHash } from 'node:crypto';
import { makeOwnerKey, signPolicy, type OwnerKey, type PolicyDocument } from '@glacis/shares';
import { Stand, type Reply } from './stand.js';

const sample = {
  analysis_name: 'Sample',
  query_sql: 'SELECT * FROM t',
  security_level: 'semi',
  cloud_providers: ['aws', 'gcp'],
  schema: { Age: 'years' },
};
const counting = { ...sample, query_sql: 'SELECT COUNT(*), AVG(Age) FROM t' };
const notFound = (id: unknown): string => JSON.stringify({ error: 'Job ID not found', job_id: id });
const contentType = 'application/json; charset=utf-8';
const hash = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.start({ settings: { openJobs: '1000' } });
  await stand.withoutParties();
});
afterAll(() => stand.stop());

const post = (path: string, body: unknown, headers = {}): Promise<Reply> =>
  stand.send('POST', path, { body, headers });
const created = async (body: object = counting): Promise<Reply['body']> =>
  (await post('/create_job', body)).body;
const register = (job: string, owner: string, more = {}): Promise<Reply> =>
  post('/register_data_owner', { job_id: job, data_owner: owner, ...more });
const submit = (job: string): Promise<Reply> => post('/submit_job', { job_id: job });
const status = (job: string): Promise<Reply> => stand.send('GET', `/get_status?job_id=${job}`);

/** Registers and stores all files. */
async function uploaded(job: string, owner: string, more = {}): Promise<Reply> {
  const registered = await register(job, owner, more);
  for (const url of registered.body.presigned_urls as string[])
    expect((await put(url)).status).toBe(200);
  return registered;
}

const put = (url: string, body = 'Age_0,Age_1,[Age]_0,[Age]_1\n1,2,3,4\n'): Promise<Response> =>
  fetch(url, { method: 'PUT', headers: { 'content-type': 'text/csv' }, body });

function expectBytes(reply: Reply, code: number, text: string): void {
  expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([
    code,
    text,
    contentType,
  ]);
}

describe('jobs.md 2.1: checks of all contract routes', () => {
  test('type, JSON and object', async () => {
    const type = '{"error":"Request body must be application/json"}';
    const object = '{"error":"Request body is not a valid JSON object"}';
    expectBytes(await post('/create_job', '{}', { 'content-type': 'text/plain' }), 400, type);
    expectBytes(await stand.send('POST', '/submit_job'), 400, type);
    const deep = `{"a":${'['.repeat(32)}${']'.repeat(32)}}`;
    for (const body of ['', '[]', '{"a":1,}', 'null', '"x"', deep, Buffer.from([0x7b, 0xff, 0x7d])])
      expectBytes(
        await post('/create_job', body, { 'content-type': 'application/json' }),
        400,
        object,
      );
  });

  test('a byte order mark is skipped, and of a member that comes twice the last one counts', async () => {
    const text = JSON.stringify(counting).replace('{', '{"analysis_name":7,');
    expect((await post('/create_job', `\u{feff}${text}`)).status).toBe(200);
  });

  test('size, method and alias', async () => {
    const long = await post('/create_job', 'x'.repeat((1 << 20) + 1));
    expectBytes(long, 413, '{"error":"Request body too large"}');
    const got = await stand.send('GET', '/create_job');
    expect([got.status, got.headers.allow]).toEqual([405, 'POST']);
    expect((await post('/create-job', counting)).status).toBe(404);
  });

  test('missing members in their order, null counts as missing', async () => {
    expectBytes(
      await post('/create_job', { schema: null }),
      400,
      '{"error":"missing necessary fields","missing_fields":["analysis_name","query_sql","security_level","cloud_providers","schema"]}',
    );
    expectBytes(
      await post('/register_data_owner', { job_id: 'x' }),
      400,
      '{"error":"missing necessary fields","missing_fields":["data_owner"]}',
    );
  });

  test('Idempotency-Key: the same answer, another body, a bad key', async () => {
    const headers = { 'idempotency-key': 'one' };
    const first = await post('/create_job', counting, headers);
    const again = await post('/create_job', counting, headers);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    const { analyst_token: token, ...rest } = first.body;
    expect(token).toEqual(expect.any(String));
    expect(again.body).toEqual(rest);
    const other = await post('/create_job', sample, headers);
    expectBytes(other, 422, '{"error":"Idempotency-Key was used with a different body"}');
    const bad = await post('/create_job', counting, { 'idempotency-key': 'a b' });
    expect([bad.status, bad.body.invalid_fields]).toEqual([400, ['Idempotency-Key']]);
  });
});

describe('jobs.md 2.2: create_job', () => {
  test('the sample request: members, order, warnings, hashes', async () => {
    const { body } = await post('/create_job', sample);
    expect(Object.keys(body)).toEqual([
      'job_id',
      'warnings',
      'execution',
      'isolation',
      'query_hash',
      'schema_hash',
      'policy_needed',
      'analyst_token',
    ]);
    expect(body).toMatchObject({
      job_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
      warnings: [
        {
          code: 'collusion',
          message: 'aws runs parties 0 and 1 and could rebuild all inputs',
          provider: 'aws',
          parties: [0, 1],
        },
        { code: 'raw_rows', message: 'submit needs the consent of every owner' },
      ],
      execution: 'local',
      isolation: 'process',
      query_hash: hash('SELECT * FROM t'),
      schema_hash: hash('{"schema":{"Age":"years"}}'),
    });
    expect(await stand.events('job.created')).toContainEqual(
      expect.objectContaining({ job_id: body.job_id, execution: 'local' }),
    );
  });

  test('Prefer: return=minimal leaves extensions out', async () => {
    const reply = await post('/create_job', sample, { prefer: 'return=minimal' });
    expectBytes(reply, 200, JSON.stringify({ job_id: reply.body.job_id }));
  });

  test('mal is accepted as a level in any case, and refused for now', async () => {
    for (const level of ['mal', 'MAL'])
      expectBytes(
        await post('/create_job', { ...sample, security_level: level }),
        400,
        '{"error":"security_level mal needs the four-party protocol, which arrives in phase two; use semi","invalid_fields":["security_level"]}',
      );
  });

  test('a refused query, with its place', async () => {
    expectBytes(
      await post('/create_job', { ...sample, query_sql: 'SELECT Age\nFROM t WHERE Size > 3' }),
      400,
      '{"error":"Query not supported: there is no such column at line 2, column 14","reason":{"code":"unknown_column","message":"there is no such column","offset":24,"line":2,"column":14,"token":"Size"}}',
    );
  });

  test.each([
    ['analysis_name', ''],
    ['analysis_name', 'x'.repeat(201)],
    ['analysis_name', 'a\u0000'],
    ['query_sql', `SELECT ${' '.repeat(16_384)}`],
    ['query_sql', 'SELECT \u0000'],
    ['security_level', 'semi-honest'],
    ['security_level', ''],
    ['cloud_providers', []],
    ['cloud_providers', 'aws'],
    ['cloud_providers', ['ibm']],
    ['cloud_providers', Array.from({ length: 17 }, () => 'aws')],
    ['cloud_providers', [['aws']]],
    ['schema', []],
    ['schema', {}],
    ['schema', JSON.parse('{"__proto__":"x"}')],
    ['schema', { 'a,b': 'x' }],
    ['schema', { '[x]': 'x' }],
    ['schema', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`c${i}`, '']))],
    ['schema', { a: 'x', A: 'x' }],
    ['schema', { a: 7 }],
    ['schema', { a: { type: 'DECIMAL', scale: 9 } }],
    ['schema', { a: { type: 'INTEGER', min: 3, max: 2 } }],
    ['min_group_size', 4],
    ['max_share_percent', 0],
    ['deadline_seconds', 59],
    ['result_key', 'AAAA'],
  ])('names %s where it is none (%#)', async (field, value) => {
    const { status: code, body } = await post('/create_job', { ...counting, [field]: value });
    expect([code, body.error, body.invalid_fields]).toEqual([400, 'invalid fields', [field]]);
    expect(body.details[0]).toEqual({
      field: expect.stringMatching(new RegExp(`^${field}`)),
      code: expect.stringMatching(/^[a-z_]+$/),
      message: expect.any(String),
    });
  });

  test('any member of any form is 400, and all faults are told at once', async () => {
    for (const value of [7, [1], { a: { b: 1 } }, 'x'.repeat(1 << 19), true])
      for (const field of Object.keys(sample)) {
        const { status: code } = await post('/create_job', { ...counting, [field]: value });
        expect([200, 400]).toContain(code);
      }
    const all = await post('/create_job', { ...counting, analysis_name: 1, schema: 1 });
    expect(all.body.invalid_fields).toEqual(['analysis_name', 'schema']);
  });

  test('a provider that fails: 500, what was made is gone, no job is left', async () => {
    const failing = await Stand.start();
    await failing.withoutParties();
    failing.breakProvider('gcp');
    const body = { ...counting, cloud_providers: ['aws', 'gcp', 'azure'] };
    expectBytes(
      await failing.send('POST', '/create_job', { body }),
      500,
      '{"error":"Buckets creation error: gcp: no space is left"}',
    );
    expect(await failing.buckets()).toEqual([]);
    expect(await failing.count('jobs')).toBe(0);
    await failing.stop();
  });

  test('quota: 429', async () => {
    const small = await Stand.start({ settings: { openJobs: '1' } });
    await small.withoutParties();
    expect((await small.send('POST', '/create_job', { body: counting })).status).toBe(200);
    const over = await small.send('POST', '/create_job', { body: counting });
    expectBytes(over, 429, '{"error":"Too many requests"}');
    await small.stop();
  });
});

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

describe('jobs.md 12: mode `token`', () => {
  let closed: Stand;
  beforeAll(async () => {
    closed = await Stand.start({ host: '0.0.0.0' });
    await closed.withoutParties();
  });
  afterAll(() => closed.stop());

  test('a token of the platform is needed, and a key for the result', async () => {
    const bare = await closed.send('POST', '/create_job', { body: counting });
    expectBytes(bare, 401, '{"error":"Authentication required"}');
    const headers = { authorization: await closed.identity.bearer() };
    const keyless = await closed.send('POST', '/create_job', { body: counting, headers });
    expect(keyless.body.details[0].code).toBe('result_key_required');
    const body = { ...counting, result_key: Buffer.alloc(32, 7).toString('base64url') };
    const good = await closed.send('POST', '/create_job', { body, headers });
    expect(good.body.analyst_token).toBeUndefined();
    const id = good.body.job_id;
    const others = { authorization: await closed.identity.bearer({ tenant: 'tenant-b' }) };
    const foreign = await closed.send('POST', '/submit_job', {
      body: { job_id: id },
      headers: others,
    });
    expectBytes(foreign, 404, notFound(id));
    const owner = { job_id: id, data_owner: 'alice' };
    const analyst = await closed.send('POST', '/register_data_owner', { body: owner, headers });
    expectBytes(analyst, 403, '{"error":"Not allowed"}');
    const made = await closed.send('POST', `/jobs/${id}/owners`, {
      body: { data_owner: 'alice' },
      headers,
    });
    const claim = new URL(made.body.claim_url).hash.slice('#claim='.length);
    const used = await closed.send('POST', '/jobs/claims', { body: { claim } });
    const token = { authorization: `Bearer ${used.body.token}` };
    const registered = await closed.send('POST', '/register_data_owner', {
      body: owner,
      headers: token,
    });
    expect(registered.status).toBe(200);
    const bob = { ...owner, data_owner: 'bob' };
    expect(
      (await closed.send('POST', '/register_data_owner', { body: bob, headers: token })).status,
    ).toBe(403);
    expect((await closed.send('POST', '/create_job', { body, headers: token })).status).toBe(403);
  });
});
