// `graph-apps.md` 6.2 to 6.6 against the real API server; the test is the operator. Two replicas on one database, of either store.
import { testIdentity } from '@glacis/identity/testing';
import { isKubeError } from '@glacis/kube';
import { newId, waitFor } from '@glacis/runtime';
import { testDatabase } from '@glacis/testbed';
import { jest } from '@jest/globals';
import type { GraphStatus } from '../src/cluster/rampart-graph.js';
import { graphAppsMigrations } from '../src/index.js';
import { ClusterWorld } from './cluster-world.js';
import { graphBody, simpleGraph } from './graphs.js';
import { Replicas } from './replicas.js';
import { EventReader } from './sse.js';
import type { Reply } from './stand.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let world: ClusterWorld;
let apps: Replicas;

beforeAll(async () => {
  world = await ClusterWorld.open();
});
afterAll(() => world?.close());

const stores: [string, () => Record<string, string>][] = [
  ['Postgres', () => ({})],
  [
    'MongoDB',
    () => ({ store: 'mongodb', storeUrl: world.mongo.url.replace('/glacis?', `/${newId()}?`) }),
  ],
];

const normal: GraphStatus = {
  phase: 'Deployed',
  components: [
    { name: 'producer', state: 'normal' },
    { name: 'consumer', state: 'normal' },
  ],
  flows: [{ name: 'data', state: 'normal' }],
};

interface Item {
  version: string;
  status: string;
  deployed: boolean;
  lastDeployment: string | null;
}
const statusOf = (app: Reply['body'], version: number): string =>
  app.versions.find((item: Item) => item.version === String(version))?.status;

describe.each(stores)('on %s', (_, store) => {
  beforeAll(async () => {
    apps = await Replicas.start({
      database: await testDatabase({ 'graph-apps': graphAppsMigrations }),
      identity: await testIdentity(),
      settings: { kubeconfig: world.cluster.admin.file, dashboardPath: '/k8s/', ...store() },
      flowAddress: () => world.flowAddress,
    });
  });
  afterAll(async () => {
    await apps?.stop();
    // What one store has come to know is none of the next one's.
    for (const { metadata } of (await world.graphs.list()).items)
      await world.graphs.delete(metadata);
    await world.cluster.kubectl('label', 'namespace', 'nobodys', 'glacis.dev/tenant-');
  });

  test('6.4: a draft is deployed, follows the operator, gives way to a newer version, and comes back', async () => {
    await apps.create('life', { labels: { team: 'blue' } });
    const stream = new EventReader(await apps.two.open('GET', '/api/v1/apps/team_life/events'));
    const deployed = await apps.redeploy('life', 1);
    expect(deployed.status).toBe(200);
    expect(deployed.body).toMatchObject({ appId: 'team_life', versionId: 1 });
    expect(deployed.body.graph.spec).toEqual({ graph: simpleGraph(), deploy: true });
    const { metadata } = await world.graphs.get({ namespace: 'team', name: 'life' });
    expect(metadata.labels).toEqual({ team: 'blue' });
    expect(metadata.annotations).toMatchObject({ 'glacis.dev/app-version': '1' });

    await world.report('life', { phase: 'Deploying' });
    const deploying = await apps.shows('team_life', (app) => statusOf(app, 1) === 'deploying');
    expect(deploying).toMatchObject({ id: metadata.uid, deployed: false, activeVersion: 1 });
    expect(deploying.versions[0].lastDeployment).not.toBeNull();
    await stream.next('status', ({ status }) => status === 'deploying');

    await world.report('life', {
      ...normal,
      endpointPaths: '{"producer":["/team/life/producer"]}',
    });
    const live = await apps.shows('team_life', (app) => app.deployed);
    expect(live.graph.spec.graph).toEqual(simpleGraph());
    expect(live.versions[0].lastDeployment).toBe(deploying.versions[0].lastDeployment);
    const entry = await stream.next('status', ({ status }) => status === 'deployed');
    const state = await apps.one.send('GET', '/graph-status/team_life');
    expect(state.body).toEqual([entry.data]);
    expect(entry.data).toMatchObject({
      readOnly: false,
      version: 1,
      deployed: true,
      progress: 1,
      message: '',
      flows: [{ flowTitle: 'data', status: 'normal' }],
    });
    expect(entry.data.nodes[1]).toEqual({
      componentTitle: 'producer',
      status: 'normal',
      message: '',
      k8sUrl: '/k8s/#/deployment?namespace=team-life-producer',
    });
    expect((await apps.one.send('GET', '/apps/team_life/component-links')).body).toEqual([
      { component: 'producer', endpoints: ['/team/life/producer'] },
    ]);
    expect((await apps.one.send('GET', '/apps/team_life/versions/1/dashboard_urls')).body).toEqual({
      k8s: '/k8s/#/workloads?namespace=_all',
    });

    await apps.save('life', { replicas: 2 });
    expect((await apps.redeploy('life', 2)).body.versionId).toBe(2);
    const replaced = await apps.shows('team_life', (app) => app.activeVersion === 2);
    expect(statusOf(replaced, 1)).toBe('undeploying');
    const both = (await apps.one.send('GET', '/graph-status/team_life')).body;
    expect(both.map(({ version }: { version: number }) => version)).toEqual([1, 2]);
    expect(both[0]).toMatchObject({
      status: 'undeploying',
      deployed: false,
      progress: 0,
      nodes: [],
    });
    await world.report('life', normal);
    await apps.shows('team_life', (app) => statusOf(app, 1) === 'undeployed' && app.deployed);

    const revert = await apps.redeploy('life', 1);
    expect(revert.body.graph.metadata.annotations['glacis.dev/app-version']).toBe('1');
    await apps.shows('team_life', (app) => app.activeVersion === 1 && app.versions.length === 2);

    const undeployed = await apps.one.send('POST', '/apps/redeployment/team_life/7', {
      body: { deployed: false },
    });
    expect(undeployed.body).toEqual({ appId: 'team_life' });
    expect((await world.graphs.get({ namespace: 'team', name: 'life' })).spec?.deploy).toBe(false);
    await world.report('life', { phase: 'Undeployed' });
    const down = await apps.shows('team_life', (app) => statusOf(app, 1) === 'undeployed');
    expect(down).toMatchObject({ graph: {}, deployed: false });
    stream.close();

    const requested = await apps.told(
      'deployment.requested',
      'life',
      (events) => events.length === 4,
    );
    expect(requested.map((data) => Object.values(data).slice(3))).toEqual([
      [1, true],
      [2, true],
      [1, true],
      [1, false],
    ]);
    await apps.told('deployment.finished', 'life', (events) =>
      events.some(({ phase }) => phase === 'Undeployed'),
    );
  });

  test('6.5: what is not normal is deployment_error, a failure is error with its message', async () => {
    await apps.create('sick');
    await apps.redeploy('sick', 1);
    await world.report('sick', {
      ...normal,
      components: [{ name: 'producer', state: 'transient_error' }],
    });
    await apps.shows('team_sick', (app) => statusOf(app, 1) === 'deployment_error');
    const [entry] = (await apps.one.send('GET', '/graph-status/team_sick')).body;
    expect(entry.nodes.map(({ status }: Item) => status)).toEqual(['not_found', 'transient_error']);
    expect(entry.progress).toBe(0.33);
    await world.report('sick', {
      phase: 'Failed',
      reason: 'GraphDeploymentError',
      messages: 'no chart',
    });
    await apps.shows('team_sick', (app) => statusOf(app, 1) === 'error');
    const [failed] = (await apps.two.send('GET', '/graph-status/team_sick')).body;
    expect(failed).toMatchObject({ status: 'error', deployed: true, message: 'no chart' });
    const list = await apps.one.send('GET', '/apps?status=error');
    expect(list.body.map(({ name }: { name: string }) => name)).toEqual(['sick']);
    await world.report('sick', { phase: 'Odd' });
    await apps.shows('team_sick', (app) => statusOf(app, 1) === 'unknown');
  });

  test('6.6: what is changed in the cluster becomes a version once, whichever replica sees it', async () => {
    const spec = { graph: simpleGraph() };
    await world.graphs.create({
      metadata: { namespace: 'team', name: 'found', labels: { a: 'b' } },
      spec,
    });
    await apps.shows('team_found', (app) => app.activeVersion === 1);
    const edit = (config: object, annotations?: object) =>
      world.graphs.patch(
        { namespace: 'team', name: 'found' },
        { metadata: { annotations }, spec: { graph: simpleGraph({ ...config }) } },
      );
    await edit({ replicas: 2 });
    await apps.shows('team_found', (app) => app.activeVersion === 2);
    const versions = (await apps.one.send('GET', '/apps/team_found/versions')).body;
    expect(versions.map(({ source }: { source: string }) => source)).toEqual([
      'cluster',
      'cluster',
    ]);
    // Content that is known is the newest version of it; an annotation that agrees names another.
    await apps.save('found', { replicas: 2 });
    await edit({ replicas: 3 });
    await apps.shows('team_found', (app) => app.activeVersion === 4);
    await edit({ replicas: 2 });
    await apps.shows('team_found', (app) => app.activeVersion === 3 && app.versions.length === 4);
    await edit({ replicas: 2 }, { 'glacis.dev/app-version': '2' });
    await apps.shows('team_found', (app) => app.activeVersion === 2 && app.versions.length === 4);
    await world.graphs.delete({ namespace: 'team', name: 'found' });
    await apps.shows('team_found', (app) => app.state === 'graph_not_found');
    await apps.told('app.deleted', 'found', (events) => events.length === 1);
  });

  test('a graph belongs to the tenant of its Namespace, and a draft of another gives way', async () => {
    const spec = { graph: simpleGraph() };
    await apps.one.send('POST', '/graphs', {
      body: graphBody({ name: 'squat', namespace: 'other' }),
    });
    await world.graphs.create({ metadata: { namespace: 'other', name: 'squat' }, spec });
    await apps.shows('other_squat', (app) => app.activeVersion === 1, 'tenant-b');
    await apps.shows('other_squat', (app) => app.state === 'graph_not_found');
    await world.graphs.create({ metadata: { namespace: 'nobodys', name: 'plain' }, spec });
    await apps.shows('nobodys_plain', (app) => app.activeVersion === 1, 'default');
    await world.cluster.kubectl('label', 'namespace', 'nobodys', 'glacis.dev/tenant=tenant-c');
    await apps.shows('nobodys_plain', (app) => app.activeVersion === 1, 'tenant-c');
  });

  test('6.4: a Namespace of another tenant answers like one that is not there', async () => {
    for (const namespace of ['other', 'absent']) {
      await apps.create('wish', { namespace });
      const reply = await apps.one.send('POST', `/apps/redeployment/${namespace}_wish/1`, {
        body: { deployed: true },
      });
      expect([reply.status, reply.body.state]).toEqual([500, 'error redeploying graph']);
      expect(reply.body.message).toBe(`namespaces "${namespace}" not found`);
    }
  });

  test('6.2 #4: a deployed App goes when its graph is gone, and is listed as deleting meanwhile', async () => {
    await apps.create('held');
    await apps.redeploy('held', 1);
    const finalizers = { metadata: { finalizers: ['example.com/hold'] } };
    await world.graphs.patch({ namespace: 'team', name: 'held' }, finalizers);
    const reply = await apps.one.send('DELETE', '/apps/team_held');
    expect([reply.status, reply.body]).toEqual([200, { appId: 'team_held' }]);
    const isDeleting = ({ appId, status }: Record<string, string>): boolean =>
      appId === 'team_held' && status === 'deleting';
    await waitFor(async () =>
      (await apps.two.send('GET', '/apps/status/list')).body.some(isDeleting),
    );
    await world.graphs.patch(
      { namespace: 'team', name: 'held' },
      { metadata: { finalizers: null } },
    );
    await apps.shows('team_held', (app) => app.state === 'graph_not_found');
  });

  test('6.4: what the cluster refuses is 422 with its reasons, and no row changes', async () => {
    const match = {
      apiGroups: ['rampart.petuum.com'],
      apiVersions: ['*'],
      resources: ['rampartgraphs'],
    };
    const policy = 'no-refused';
    const version = 'admissionregistration.k8s.io/v1';
    await world.cluster.apply({
      apiVersion: version,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: policy },
      spec: {
        matchConstraints: { resourceRules: [{ ...match, operations: ['CREATE'] }] },
        validations: [
          { expression: "!object.metadata.name.startsWith('refused')", message: 'not this one' },
        ],
      },
    });
    await world.cluster.apply({
      apiVersion: version,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: policy },
      spec: { policyName: policy, validationActions: ['Deny'] },
    });
    const probe = {
      metadata: { namespace: 'team', name: 'refused-probe' },
      spec: { graph: simpleGraph() },
    };
    await waitFor(
      async () => {
        const refused = await world.graphs.create(probe).then(
          () => false,
          (error: unknown) => isKubeError(error, 'invalid'),
        );
        if (!refused) await world.graphs.delete(probe.metadata);
        return refused;
      },
      { what: 'the policy', deadlineMs: 60_000 },
    );
    await apps.create('refused');
    const reply = await apps.redeploy('refused', 1);
    expect([reply.status, reply.body.state]).toEqual([422, 'error redeploying graph']);
    expect(reply.body.message).toContain('not this one');
    expect(reply.body.errors).toEqual(expect.any(Array));
    expect((await apps.one.send('GET', '/apps/team_refused')).body).toMatchObject({
      id: null,
      activeVersion: 0,
    });
    const none = await apps.one.send('POST', '/apps/redeployment/team_refused/1', {
      body: { deployed: false },
    });
    expect([none.status, none.body.state]).toEqual([404, 'graph_not_found']);
  });

  test('6.2 #7: an edit with an older `If-Match` deploys nothing', async () => {
    await apps.create('stale');
    await apps.save('stale', {});
    const reply = await apps.redeploy('stale', 1, { headers: { 'if-match': '"1"' } });
    expect([reply.status, reply.body.state]).toEqual([412, 'precondition_failed']);
    expect(await world.graphs.find({ namespace: 'team', name: 'stale' })).toBeUndefined();
  });

  test('6.2 #17: edges are asked of the liveness service of their component', async () => {
    await apps.create('edges');
    await apps.redeploy('edges', 1);
    await waitFor(
      async () => (await apps.one.send('GET', '/graph-status/team_edges')).body.length === 1,
    );
    const reply = await apps.one.send('GET', '/app/team_edges/edge/output/producer/out');
    expect([reply.status, reply.text]).toEqual([200, '/output/out']);
    for (const [path, state] of [
      ['output/nobody/out', 'component_not_found'],
      ['input/producer/out', 'edge_not_found'],
    ]) {
      const missing = await apps.one.send('GET', `/app/team_edges/edge/${path}`);
      expect([missing.status, missing.body.state]).toEqual([404, state]);
    }
  });

  test('6.3: what stands against a graph in the cluster as it is comes back as warnings', async () => {
    const graph = simpleGraph() as { components: Record<string, object> };
    graph.components.producer = { ...graph.components.producer, namespace: 'other' };
    const reply = await apps.create('warned', { graph });
    expect(reply.status).toBe(201);
    expect(reply.body.warnings.join()).toContain('NAMESPACE_EXISTS');
  });

  test('6.6: graphs that went while nobody looked take their Apps along', async () => {
    await apps.create('lost');
    await apps.redeploy('lost', 1);
    await apps.shows('team_lost', (app) => app.activeVersion === 1);
    await apps.restart(() => world.graphs.delete({ namespace: 'team', name: 'lost' }));
    await apps.shows('team_lost', (app) => app.state === 'graph_not_found');
    await apps.shows('team_life', (app) => app.versions.length === 2);
  });
});
