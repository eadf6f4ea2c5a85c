import { withConnection } from '@glacis/store';
import { ContractCalls, counting, expectBytes, hash, notFound, sample } from './contract-calls.js';
import { Stand } from './stand.js';

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.start({ settings: { openJobs: '1000' } });
  await stand.withoutParties();
});
afterAll(() => stand.stop());

const { post } = new ContractCalls(() => stand);

describe('jobs.md 2.1: checks of all contract routes', () => {
  test('a service whose database takes nobody is not ready, whatever it is asked', async () => {
    const cut = await Stand.start({ http: { callerRate: '1/h', callerBurst: '1' } });
    try {
      await cut.withoutParties();
      const calls = new ContractCalls(() => cut);
      const { job_id: id } = await calls.created();
      await withConnection(cut.database.url, async (spare) => {
        const limit = (n: number): Promise<unknown> =>
          spare.query(
            `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT ${n}', current_database()); END $$`,
          );
        await limit(0);
        await spare.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
        const replies = await Promise.all([
          calls.post('/create_job', counting),
          calls.register(id, 'alice'),
          calls.submit(id),
          calls.status(id),
          calls.status(''),
          calls.post('/jobs/dry_run', counting),
          calls.post('/create_job', '{'),
          calls.post('/create_job', '{}', { 'content-type': 'text/plain' }),
          calls.post('/create_job', 'x'.repeat((1 << 20) + 1)),
          calls.post('/submit_job', { job_id: id }, { authorization: 'Bearer of nothing' }),
        ]);
        for (const reply of replies) {
          expectBytes(reply, 503, '{"error":"Service not ready"}');
          expect(reply.headers['retry-after']).toBe('1');
        }
        expect((await cut.send('GET', '/health/ready')).status).toBe(503);
        expect((await cut.send('GET', '/create_job')).status).toBe(405);
        await limit(-1);
        const many = '{"error":"Too many requests"}';
        expectBytes(await calls.status(id), 429, many);
        expectBytes(await calls.post('/jobs/dry_run', counting), 429, many);
      });
    } finally {
      await cut.stop();
    }
  });

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
