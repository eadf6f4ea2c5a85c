import { graphBody, simpleGraph } from '../graphs.js';
import { Stand } from '../stand.js';

// `graph-apps.md` 6.2, rows 1 to 6, 10, 12, 19 and 20, as far as they need no cluster. Run on both stores.

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;

export function draftCases(start: () => Promise<Stand>): void {
  let stand: Stand;
  beforeAll(async () => (stand = await start()));
  afterAll(() => stand.stop());

  const create = (name: string, more = {}) =>
    stand.send('POST', '/graphs', { body: graphBody({ name, ...more }) });
  const save = (name: string, config: object, headers = {}) =>
    stand.send('POST', `/apps/team_${name}/graph`, {
      body: graphBody({ name, graph: simpleGraph({ ...config }) }),
      headers,
    });

  test('6.2 #1: a draft is made with version 1, and nothing else', async () => {
    const reply = await create('made', { notes: 'first' });
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      graph: { graph: simpleGraph() },
      appId: 'team_made',
      versionId: '1',
    });
    expect(reply.headers.etag).toBe('"1"');
    const app = await stand.send('GET', '/apps/team_made');
    expect(app.body).toMatchObject({ id: null, deployed: false, graph: {}, lastModified: null });
    expect(app.body.versions).toEqual([
      {
        name: 'made',
        appId: 'team_made',
        version: '1',
        status: 'undeployed',
        deployed: false,
        lastDeployment: null,
        lastEdit: expect.stringMatching(time),
        notes: 'first',
      },
    ]);
  });

  test('6.2 #1: the namespace is `default` where none is named', async () => {
    const body = graphBody({ name: 'nowhere' });
    const reply = await stand.send('POST', '/graphs', {
      body: { ...body, metadata: { name: 'nowhere' } },
    });
    expect(reply.body.appId).toBe('default_nowhere');
  });

  test.each([
    ['no name', { ...graphBody(), metadata: { namespace: 'team' } }, 'invalid_request'],
    ['no metadata', { ...graphBody(), metadata: undefined }, 'invalid_request'],
    ['kind no string', { ...graphBody(), kind: 7 }, 'invalid_request'],
    ['spec no object', { ...graphBody(), spec: [] }, 'invalid_request'],
    ['notes too long', { ...graphBody(), notes: 'x'.repeat(4001) }, 'invalid_request'],
    ['no graph', { ...graphBody(), spec: {} }, 'invalid_graph'],
    ['another kind', { ...graphBody(), kind: 'Graph' }, 'invalid_graph'],
    ['another version', { ...graphBody(), apiVersion: 'v1' }, 'invalid_graph'],
    ['an impossible name', graphBody({ name: 'No' }), 'invalid_graph'],
  ])('6.2 #1: %s is refused with 422', async (_what, body, state) => {
    const reply = await stand.send('POST', '/graphs', { body });
    expect([reply.status, reply.body.state]).toEqual([422, state]);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.body.message).not.toBe('');
  });

  test('6.3: a graph that breaks rules is refused with all codes, and nothing is stored', async () => {
    const graph = simpleGraph() as { components: Record<string, object> };
    graph.components.producer = { ...graph.components.producer, needs: ['nobody'] };
    const reply = await create('broken', { graph });
    expect(reply.status).toBe(422);
    expect(reply.body.state).toBe('invalid_graph');
    expect(reply.body.errors).toEqual([
      {
        code: 'NEEDS_UNKNOWN',
        path: expect.stringContaining('/producer'),
        message: expect.any(String),
      },
    ]);
    expect(reply.body.message).toContain('NEEDS_UNKNOWN');
    expect((await stand.send('GET', '/apps/team_broken')).body.state).toBe('graph_not_found');
  });

  test('6.2 #1: a taken name is refused, also for another tenant', async () => {
    await create('taken');
    for (const tenant of ['tenant-a', 'tenant-b']) {
      const reply = await stand.send('POST', '/graphs', {
        tenant,
        body: graphBody({ name: 'taken' }),
      });
      expect([reply.status, reply.body.state]).toEqual([409, 'duplicate_graph_exists']);
    }
  });

  test('6.2 #1: of twenty at once one is made', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => create('race')));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(19);
  });

  test('6.2 #5: a save makes a version each time, also of equal content', async () => {
    await create('saved');
    const second = await save('saved', {});
    expect(second.status).toBe(200);
    expect(second.body).toEqual({
      appId: 'team_saved',
      versionId: 2,
      graph: {
        apiVersion: 'rampart.petuum.com/v1beta2',
        kind: 'RampartGraph',
        metadata: { name: 'saved', namespace: 'team' },
        spec: { graph: simpleGraph() },
      },
    });
    const third = await save('saved', { replicas: 3 });
    expect([third.body.versionId, third.headers.etag]).toEqual([3, '"3"']);
    const versions = (await stand.send('GET', '/apps/team_saved/versions')).body;
    expect(versions.map(({ version }: { version: string }) => version)).toEqual(['1', '2', '3']);
    expect(versions[0].hash).toBe(versions[1].hash);
    expect(versions[2]).toMatchObject({
      source: 'api',
      hash: expect.stringMatching(/^[\da-f]{32}$/),
    });
    expect(versions[2].hash).not.toBe(versions[1].hash);
  });

  test.each([
    ['POST', '/apps/team_unknown/graph', graphBody()],
    ['DELETE', '/apps/team_unknown', undefined],
    ['GET', '/apps/team_unknown', undefined],
    ['GET', '/apps/nothing-of-ours', undefined],
    ['GET', '/apps/team_unknown/versions', undefined],
    ['GET', '/apps/team_unknown/versions/1/graph', undefined],
    ['GET', '/apps/team_unknown/versions/1/diff/2', undefined],
    ['GET', '/apps/team_unknown/versions/1/dashboard_urls', undefined],
    ['GET', '/apps/team_unknown/component-links', undefined],
    ['GET', '/apps/team_unknown/events', undefined],
    ['GET', '/graph-status/team_unknown', undefined],
    ['GET', '/app/team_unknown/grafana_dashboard', undefined],
    ['PATCH', '/apps/team_unknown/versions/1', { notes: '' }],
    ['POST', '/apps/redeployment/team_unknown/1', { deployed: true }],
  ])('6.1: %s %s is graph_not_found', async (method, path, body) => {
    const reply = await stand.send(method, path, { body });
    expect([reply.status, reply.body.state]).toEqual([404, 'graph_not_found']);
  });

  test('an App of another tenant answers like an unknown one', async () => {
    await create('private');
    const [foreign, unknown] = await Promise.all([
      stand.send('GET', '/apps/team_private', { tenant: 'tenant-b' }),
      stand.send('GET', '/apps/team_nothing', { tenant: 'tenant-b' }),
    ]);
    const say = ({ status, body }: typeof foreign) => [status, body.state, body.code];
    expect(say(foreign)).toEqual(say(unknown));
    const list = await stand.send('GET', '/apps', { tenant: 'tenant-b' });
    expect(list.body).toEqual([]);
  });

  test('6.2 #2: lists filter, page and count', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await create(name, { namespace: 'pages' });
    const names = ({ body }: { body: { name: string }[] }) => body.map(({ name }) => name);
    const all = await stand.send('GET', '/graphs?namespace=pages');
    expect(names(all)).toEqual(['page-a', 'page-b', 'page-c']);
    expect(all.headers['x-total-count']).toBe('3');
    expect(all.headers.link).toBeUndefined();
    expect(all.body[0]).toEqual({
      id: 'pages_page-a',
      appId: 'pages_page-a',
      name: 'page-a',
      description: '',
      deployedVersion: 0,
      versionCount: 1,
      readOnly: false,
      graph: expect.objectContaining({ kind: 'RampartGraph' }),
      lastDeployment: null,
      lastEdit: expect.stringMatching(time),
    });
    const first = await stand.send('GET', '/apps?namespace=pages&limit=2&fields=summary');
    expect(names(first)).toEqual(['page-a', 'page-b']);
    expect(first.body[0]).not.toHaveProperty('graph');
    const next = /<\/api\/v1(.*)>; rel="next"/.exec(String(first.headers.link))?.[1];
    const second = await stand.send('GET', String(next));
    expect(names(second)).toEqual(['page-c']);
    expect(second.headers.link).toBeUndefined();
    expect(names(await stand.send('GET', '/apps?q=ge-b'))).toEqual(['page-b']);
    const undeployed = await stand.send('GET', '/apps?namespace=pages&status=undeployed');
    expect(undeployed.body).toHaveLength(3);
    expect((await stand.send('GET', '/apps?namespace=pages&status=error')).body).toEqual([]);
  });

  test.each(['limit=0', 'limit=501', 'limit=x', 'cursor=%%', 'status=odd', 'fields=all'])(
    '6.1: a list with %s is invalid_request',
    async (query) => {
      const reply = await stand.send('GET', `/apps?${query}`);
      expect([reply.status, reply.body.state]).toEqual([422, 'invalid_request']);
    },
  );

  test('6.2 #6: the graph of a version, and of 0, which is nobody`s', async () => {
    await create('shown');
    const first = await stand.send('GET', '/apps/team_shown/versions/1/graph');
    expect(first.body).toMatchObject({ appId: 'team_shown', readOnly: false, versionId: '1' });
    expect(first.body.graph).not.toHaveProperty('status');
    const none = await stand.send('GET', '/apps/team_shown/versions/0/graph');
    expect(none.body).toEqual({
      appId: 'team_shown',
      versionId: '0',
      graph: { metadata: { namespace: 'team', name: 'shown' } },
    });
  });

  test.each(['2', 'x', '01', '-1', '1.0', '99999999999'])(
    '6.2 #6: version %s is not there',
    async (version) => {
      await create('few');
      for (const path of [`${version}/graph`, `1/diff/${version}`, `${version}/dashboard_urls`]) {
        const reply = await stand.send(
          'GET',
          `/apps/team_few/versions/${version === '' ? '' : path}`,
        );
        expect([reply.status, reply.body.state]).toEqual([
          404,
          'graph not found with that name and version',
        ]);
      }
    },
  );

  test('the order of keys and odd text come back as they went in', async () => {
    const config = { zebra: 1, alpha: { $set: 'a.b', 'x.y': [1.5, null, '\u00fc\u{1f600}'] } };
    await create('order', { graph: simpleGraph(config) });
    const { text } = await stand.send('GET', '/apps/team_order/versions/1/graph');
    expect(text).toContain(JSON.stringify(config));
  });

  test('6.2 #10: a version that is not deployed has no dashboard', async () => {
    await create('dark');
    const reply = await stand.send('GET', '/apps/team_dark/versions/1/dashboard_urls');
    expect([reply.status, reply.body.state]).toEqual([400, 'version 1 is not active']);
  });

  test('6.2 #12: versions come in pages', async () => {
    await create('many');
    for (const replicas of [2, 3, 4]) await save('many', { replicas });
    const first = await stand.send('GET', '/apps/team_many/versions?limit=3');
    expect([first.body.length, first.headers['x-total-count']]).toEqual([3, '4']);
    const next = /<\/api\/v1(.*)>; rel="next"/.exec(String(first.headers.link))?.[1];
    const last = await stand.send('GET', String(next));
    expect(last.body.map(({ version }: { version: string }) => version)).toEqual(['4']);
    expect(last.headers.link).toBeUndefined();
  });

  test('6.2 #19: a diff tells what was changed, for people and as a patch', async () => {
    await create('changed');
    await save('changed', { replicas: 2 });
    const { status, body } = await stand.send('GET', '/apps/team_changed/versions/1/diff/2');
    expect(status).toBe(200);
    expect(body).toMatchObject({ appId: 'team_changed', from: '1', to: '2', equal: false });
    expect(body.components.changed).toEqual([{ name: 'producer', paths: expect.any(Array) }]);
    expect(body.patch).toEqual([
      { op: 'add', path: '/components/producer/config/replicas', value: 2 },
    ]);
    const same = await stand.send('GET', '/apps/team_changed/versions/1/diff/1?ignoreUi=false');
    expect(same.body).toMatchObject({ equal: true, patch: [] });
    const bad = await stand.send('GET', '/apps/team_changed/versions/1/diff/1?ignoreUi=maybe');
    expect(bad.body.state).toBe('invalid_request');
  });

  test('6.2 #20: notes change, the graph and its number stay', async () => {
    await create('noted');
    const patched = await stand.send('PATCH', '/apps/team_noted/versions/1', {
      body: { notes: 'good\none' },
    });
    expect(patched.body).toMatchObject({ version: '1', notes: 'good\none', source: 'api' });
    expect(patched.headers.etag).toBe('"2"');
    const missing = await stand.send('PATCH', '/apps/team_noted/versions/2', {
      body: { notes: '' },
    });
    expect(missing.status).toBe(404);
    const wrong = await stand.send('PATCH', '/apps/team_noted/versions/1', { body: {} });
    expect(wrong.body.state).toBe('invalid_request');
  });

  test('6.2 #4: a draft goes at once, with its versions', async () => {
    await create('gone');
    const reply = await stand.send('DELETE', '/apps/team_gone');
    expect([reply.status, reply.body]).toEqual([200, { appId: 'team_gone' }]);
    expect((await stand.send('GET', '/apps/team_gone')).status).toBe(404);
    const again = await create('gone');
    expect(again.status).toBe(201);
    expect((await stand.send('GET', '/apps/team_gone/versions')).body).toHaveLength(1);
  });

  test('6.1: a read-only App can be looked at only', async () => {
    await create('fixed', { labels: { 'rampart-graph-readonly': 'true' } });
    expect((await stand.send('GET', '/apps/team_fixed')).body.readOnly).toBe(true);
    const edits = [
      save('fixed', {}),
      stand.send('DELETE', '/apps/team_fixed'),
      stand.send('PATCH', '/apps/team_fixed/versions/1', { body: { notes: 'x' } }),
      stand.send('POST', '/apps/redeployment/team_fixed/1', { body: { deployed: true } }),
      stand.send('POST', '/apps/redeployment/team_fixed/1', { body: { deployed: false } }),
    ];
    for (const { status, body } of await Promise.all(edits)) {
      expect([status, body.state]).toEqual([400, 'graph_read_only']);
    }
  });

  test('6.1: an edit with an older `If-Match` changes nothing', async () => {
    await create('tagged');
    const { etag } = (await stand.send('GET', '/apps/team_tagged')).headers;
    expect(etag).toBe('"1"');
    expect((await save('tagged', {}, { 'if-match': etag })).status).toBe(200);
    const old = { headers: { 'if-match': String(etag) } };
    const replies = [
      await save('tagged', {}, old.headers),
      await stand.send('DELETE', '/apps/team_tagged', old),
      await stand.send('PATCH', '/apps/team_tagged/versions/1', { ...old, body: { notes: 'x' } }),
    ];
    for (const { status, body } of replies) {
      expect([status, body.state]).toEqual([412, 'precondition_failed']);
    }
    const app = await stand.send('GET', '/apps/team_tagged');
    expect([app.body.versions.length, app.headers.etag]).toEqual([2, '"2"']);
  });

  test('row 7: of twenty edits with one `If-Match` one wins', async () => {
    await create('contested');
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => save('contested', { i }, { 'if-match': '"1"' })),
    );
    const won = replies.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 412)).toHaveLength(19);
    const versions = (await stand.send('GET', '/apps/team_contested/versions')).body;
    expect(versions).toHaveLength(2);
  });

  test('twenty saves at once give twenty numbers, none twice', async () => {
    await create('crowd');
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => save('crowd', { i })));
    const numbers = replies.map(({ body }) => body.versionId as number).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  });
}
