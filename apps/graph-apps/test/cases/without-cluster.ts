import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@glacis/runtime';
import { graphBody, simpleGraph } from '../graphs.js';
import { EventReader } from '../sse.js';
import type { Stand, StandOptions } from '../stand.js';

/** Routes of 6.2 as a service answers them that no cluster is configured for. */
export function withoutClusterCases(start: (options: StandOptions) => Promise<Stand>): void {
  let stand: Stand;
  let upstream: Server;
  const asked: IncomingMessage[] = [];

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      asked.push(request);
      if (request.url?.includes('missing')) {
        response.writeHead(404, { 'content-type': 'application/problem+json' });
        response.end('{"detail":"File not found"}');
      } else if (request.url?.includes('long')) {
        response.write(Buffer.alloc(100_000));
      } else {
        response.writeHead(200, { 'content-type': 'text/plain', 'x-other': 'kept back' });
        response.end(`${request.headers.range ?? 'all'} of ${request.url}`);
      }
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    stand = await start({
      settings: { corsOrigins: 'https://ui.example', proxyLimit: '50kb', streams: '2' },
      flowAddress: (host) => ({ host: '127.0.0.1', port: host.includes('-away-') ? 1 : port }),
    });
    await stand.send('POST', '/graphs', { body: graphBody({ name: 'demo' }) });
  });
  afterAll(async () => {
    await stand.stop();
    upstream.closeAllConnections();
    upstream.close();
  });

  test.each([true, false])(
    '6.2 #7: `deployed` %s names the setting that is missing',
    async (deployed) => {
      const reply = await stand.send('POST', '/apps/redeployment/team_demo/1', {
        body: { deployed },
      });
      expect([reply.status, reply.body.state]).toEqual([503, 'cluster_not_configured']);
      expect(reply.body.message).toContain('GLACIS_GRAPH_APPS_KUBECONFIG');
    },
  );

  test('6.2 #7: a missing version is told before that', async () => {
    const reply = await stand.send('POST', '/apps/redeployment/team_demo/9', {
      body: { deployed: true },
    });
    expect(reply.body.state).toBe('graph not found with that name and version');
    const wrong = await stand.send('POST', '/apps/redeployment/team_demo/1', { body: {} });
    expect(wrong.body.state).toBe('invalid_request');
  });

  test('6.2 #8, #9, #11, #18: a draft has no state, no links and no dashboard', async () => {
    expect((await stand.send('GET', '/graph-status/team_demo')).body).toEqual([]);
    expect((await stand.send('GET', '/apps/status/list')).body).toEqual([
      { id: 'team_demo', name: 'demo', appId: 'team_demo', status: 'undeployed' },
    ]);
    const links = await stand.send('GET', '/apps/team_demo/component-links');
    expect([links.status, links.body.state]).toEqual([404, 'graph_not_found']);
    const grafana = await stand.send('GET', '/app/team_demo/grafana_dashboard');
    expect([grafana.status, grafana.body.state]).toEqual([404, 'dashboard_not_found']);
  });

  test('6.2 #13: the schema of the editor offers its types', async () => {
    const { status, body } = await stand.send('GET', '/graphs/schema');
    expect(status).toBe(200);
    expect(body.properties.apiVersion.default).toBe('rampart.petuum.com/v1beta1');
    expect(body.additionalProperties).toBe(false);
    expect(Object.keys(body.$defs.components)).toHaveLength(22);
    expect(
      body.properties.spec.properties.graph.properties.components.additionalProperties.oneOf,
    ).toHaveLength(17);
    expect(Object.keys(body.$defs.flows)).toEqual(['volume', 'repository', 'pulsar', 'kafka']);
  });

  test('6.1: a path with a slash at its end is 404', async () => {
    for (const path of ['/apps/', '/graphs/', '/apps/team_demo/']) {
      expect((await stand.send('GET', path)).status).toBe(404);
    }
  });

  test.each(['/healthz', '/readyz', '/metrics'])(
    '6.1: %s is there without a base',
    async (path) => {
      const incoming = await stand.open('GET', path);
      incoming.resume();
      expect(incoming.statusCode).toBe(200);
    },
  );

  test('6.1: pages of the origins that are set may call, before they have a token', async () => {
    const ask = (origin: string) =>
      stand.open('OPTIONS', '/api/v1/apps', {
        headers: { authorization: '', origin, 'access-control-request-method': 'GET' },
      });
    const { statusCode, headers } = await ask('https://ui.example');
    expect(statusCode).toBe(204);
    expect(headers['access-control-allow-origin']).toBe('https://ui.example');
    expect(headers['access-control-allow-credentials']).toBe('true');
    expect((await ask('https://other.example')).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
    const refused = await stand.open('GET', '/api/v1/apps', {
      headers: { authorization: 'none', origin: 'https://ui.example' },
    });
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe('https://ui.example');
  });

  test('6.2 #15, #16: flows are looked into through their service, by name or by claim', async () => {
    const direct = await stand.send('GET', '/app/team_demo/flows_service/data/file?path=a%20b', {
      headers: { range: 'bytes=0-1' },
    });
    expect(direct.text).toBe('bytes=0-1 of /api/v1/app/flows_service/team-demo-data/file?path=a+b');
    expect(direct.headers['content-type']).toBe('text/plain');
    expect(direct.headers).not.toHaveProperty('x-other');
    expect(asked.at(-1)?.headers).not.toHaveProperty('authorization');
    const path = '/app/team_demo/flows_service/team-demo-data/directory?path=missing';
    const missing = await stand.send('GET', path);
    expect([missing.status, missing.body.detail]).toEqual([404, 'File not found']);
  });

  test.each([
    ['a flow of no such name', 'other/file?path=x', 404, 'flow_not_found'],
    ['a flow of another type', 'data/repo-file?path=x', 404, 'flow_not_found'],
    ['no path', 'data/file', 422, 'invalid_request'],
  ])('6.2 #15: %s', async (_what, path, status, state) => {
    const reply = await stand.send('GET', `/app/team_demo/flows_service/${path}`);
    expect([reply.status, reply.body.state]).toEqual([status, state]);
  });

  test('6.1: a flow service that is away is upstream_error', async () => {
    await stand.send('POST', '/graphs', { body: graphBody({ name: 'away' }) });
    const reply = await stand.send('GET', '/app/team_away/flows_service/data/file?path=x');
    expect([reply.status, reply.body.state]).toEqual([502, 'upstream_error']);
  });

  test('6.2 #16: an answer over the limit is not passed on', async () => {
    const cut = await stand.send('GET', '/app/team_demo/flows_service/data/file?path=long');
    expect([cut.status, cut.body.state]).toEqual([502, 'upstream_error']);
  });

  test('6.2 #17: edges of a graph that is not in the cluster are graph_not_found', async () => {
    const reply = await stand.send('GET', '/app/team_demo/edge/output/producer/out');
    expect([reply.status, reply.body.state]).toEqual([404, 'graph_not_found']);
  });

  test('6.2 #21: a stream begins with the state, then tells of versions, and of the end', async () => {
    await stand.send('POST', '/graphs', { body: graphBody({ name: 'told' }) });
    const all = new EventReader(await stand.open('GET', '/api/v1/apps/events'));
    const one = new EventReader(await stand.open('GET', '/api/v1/apps/team_told/events'));
    await all.next('status', ({ appId }) => appId === 'team_told');
    const full = await stand.send('GET', '/apps/events');
    expect([full.status, full.body.state]).toEqual([503, 'too_many_streams']);
    const body = graphBody({ name: 'told', graph: simpleGraph({ replicas: 2 }) });
    await stand.send('POST', '/apps/team_told/graph', { body });
    for (const reader of [all, one]) {
      const { data, id } = await reader.next('version', ({ appId }) => appId === 'team_told');
      expect(data).toMatchObject({ version: '2', source: 'api', status: 'undeployed' });
      expect(id).toMatch(/^\d+$/);
    }
    one.close();
    await stand.send('DELETE', '/apps/team_told');
    expect((await all.next('deleted')).data).toEqual({ appId: 'team_told' });
    all.close();
  });

  test('6.2 #21: who comes back with `Last-Event-ID` is told what was saved meanwhile', async () => {
    await stand.send('POST', '/graphs', { body: graphBody({ name: 'back' }) });
    const reader = new EventReader(
      await stand.open('GET', '/api/v1/apps/team_back/events', {
        headers: { 'last-event-id': '1' },
      }),
    );
    expect((await reader.next('version')).data).toMatchObject({ version: '1' });
    reader.close();
  });

  test('what happens to an App is told on the bus and kept in the audit trail', async () => {
    await stand.send('POST', '/graphs', { body: graphBody({ name: 'heard' }) });
    await stand.send('DELETE', '/apps/team_heard');
    const app = { app_id: 'team_heard', namespace: 'team', name: 'heard' };
    // Of documents a relay brings them to the outbox.
    const told = (type: string): Promise<unknown> =>
      waitFor(async () => (await stand.events(type)).find(({ app_id: id }) => id === app.app_id), {
        deadlineMs: 20_000,
        everyMs: 50,
        what: type,
      });
    expect(await told('app.created')).toEqual({ ...app, source: 'api' });
    expect(await told('version.saved')).toMatchObject({ ...app, version: 1, source: 'api' });
    expect(await told('app.deleted')).toEqual(app);
    const incoming = await stand.open('GET', '/audit/graph-apps?subject=team_heard');
    expect(incoming.statusCode).toBe(403);
    incoming.resume();
  });
}
