import { Stand } from '../stand.js';

// `graph-apps.md` 6.2, row 14. Run on both stores.

const body = {
  title: 'small',
  config: { cpu: 1, nested: { z: 1, a: 2 } },
  type: 't',
  nodeType: 'n',
};

export function nodeConfigCases(start: () => Promise<Stand>): void {
  let stand: Stand;
  beforeAll(async () => (stand = await start()));
  afterAll(() => stand.stop());

  const create = async () => (await stand.send('POST', '/node-configs', { body })).body;

  test('6.2 #14: a template is kept, shown, replaced and removed', async () => {
    const made = await stand.send('POST', '/node-configs', { body: { ...body, message: 'hi' } });
    expect(made.status).toBe(200);
    expect(made.body).toEqual({
      ...body,
      id: expect.stringMatching(/^[\da-f]{32}$/),
      message: 'hi',
      creationTimestamp: expect.any(String),
      lastModifiedTimestamp: null,
      version: 1,
    });
    const path = `/node-configs/${made.body.id}`;
    expect((await stand.send('GET', path)).body).toEqual(made.body);
    const replaced = await stand.send('PUT', path, { body: { ...body, title: 'big' } });
    expect(replaced.body).toMatchObject({ title: 'big', message: null, version: 2 });
    expect(replaced.body.lastModifiedTimestamp).not.toBeNull();
    expect(replaced.headers.etag).toBe('"2"');
    expect((await stand.send('DELETE', path)).status).toBe(204);
    expect((await stand.send('GET', path)).status).toBe(404);
  });

  test.each(['GET', 'PUT', 'DELETE'])(
    '6.2 #14: %s of an unknown or a foreign one is 404',
    async (method) => {
      const { id } = await create();
      const given = method === 'PUT' ? { body } : {};
      const replies = [
        await stand.send(method, '/node-configs/00000000000000000000000000000000', given),
        await stand.send(method, `/node-configs/${id}`, { ...given, tenant: 'tenant-b' }),
      ];
      for (const reply of replies) {
        expect([reply.status, reply.body.state]).toEqual([404, 'configs_not_found']);
      }
    },
  );

  test.each([
    ['no title', { ...body, title: undefined }],
    ['config no object', { ...body, config: 'x' }],
    ['no type', { ...body, type: undefined }],
    ['no nodeType', { ...body, nodeType: 3 }],
  ])('6.2 #14: %s is invalid_request', async (_what, wrong) => {
    const reply = await stand.send('POST', '/node-configs', { body: wrong });
    expect([reply.status, reply.body.state]).toEqual([422, 'invalid_request']);
  });

  test('6.1: of twenty edits with one `If-Match` one wins', async () => {
    const { id } = await create();
    const edits = Array.from({ length: 20 }, (_, i) =>
      stand.send('PUT', `/node-configs/${id}`, {
        body: { ...body, title: `t${i}` },
        headers: { 'if-match': '"1"' },
      }),
    );
    const statuses = (await Promise.all(edits)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(19);
  });

  test('6.1: templates come in pages', async () => {
    for (let i = 0; i < 3; i++) {
      await stand.send('POST', '/node-configs', { body, tenant: 'tenant-p' });
    }
    const first = await stand.send('GET', '/node-configs?limit=2', { tenant: 'tenant-p' });
    expect([first.body.length, first.headers['x-total-count']]).toEqual([2, '3']);
    const next = /<\/api\/v1(.*)>; rel="next"/.exec(String(first.headers.link))?.[1];
    const last = await stand.send('GET', String(next), { tenant: 'tenant-p' });
    expect(last.body).toHaveLength(1);
  });
}
