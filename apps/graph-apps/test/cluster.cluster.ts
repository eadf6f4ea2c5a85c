import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testIdentity } from '@glacis/identity/testing';
import {
  ApiServer,
  builtIns,
  isKubeError,
  openAccess,
  ResourceClient,
  type Access,
} from '@glacis/kube';
import { newId, waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import {
  startKubernetes,
  startMongo,
  type KubernetesCluster,
  type MongoServer,
} from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import { parse } from 'yaml';
import { rampartGraphs, type GraphStatus } from '../src/cluster/rampart-graph.js';
import { graphAppsMigrations } from '../src/index.js';
import { graphBody, simpleGraph } from './graphs.js';
import { EventReader } from './sse.js';
import { Stand, type Reply, type StandOptions } from './stand.js';

// `graph-apps.md` 6.2 to 6.6 against the real API server; the test is the operator. Two replicas on one database, of either store.

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

const crds = new URL('../../../k8s/crds/', import.meta.url);
let cluster: KubernetesCluster;
let mongo: MongoServer;
let access: Access;
let options: StandOptions & { database: TestDatabase };
let graphs: ResourceClient<typeof rampartGraphs extends { of?: infer T } ? NonNullable<T> : never>;
let upstream: Server;
let one: Stand;
let two: Stand;

beforeAll(async () => {
  [cluster, mongo] = await Promise.all([startKubernetes(), startMongo()]);
  for (const kind of ['rampartgraphs', 'rampartinfras']) {
    const text = await readFile(new URL(`rampart.petuum.com_${kind}.yaml`, crds), 'utf8');
    await cluster.apply(parse(text));
    const name = `crd/${kind}.rampart.petuum.com`;
    await cluster.kubectl('wait', '--for=condition=Established', name);
  }
  access = await openAccess({ kubeconfig: cluster.admin.file });
  const server = new ApiServer(access);
  graphs = new ResourceClient(server, rampartGraphs);
  const namespaces = new ResourceClient(server, builtIns.namespaces);
  for (const [name, tenant] of [
    ['team', 'tenant-a'],
    ['other', 'tenant-b'],
    ['nobodys', undefined],
  ] as const) {
    const labels: Record<string, string> =
      tenant === undefined ? {} : { 'glacis.dev/tenant': tenant };
    await namespaces.create({ metadata: { name, labels } });
  }
  upstream = createServer((request, response) => response.end(request.url)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});
afterAll(async () => {
  upstream?.close();
  access?.close();
  await mongo?.stop();
  await cluster?.stop();
});

const stores: [string, () => Record<string, string>][] = [
  ['Postgres', () => ({})],
  [
    'MongoDB',
    () => ({ store: 'mongodb', storeUrl: mongo.url.replace('/glacis?', `/${newId()}?`) }),
  ],
];

const create = (name: string, more: object = {}) =>
  one.send('POST', '/graphs', { body: graphBody({ name, ...more }) });
const save = (name: string, config: object) =>
  one.send('POST', `/apps/team_${name}/graph`, {
    body: graphBody({ name, graph: simpleGraph({ ...config }) }),
  });
const redeploy = (name: string, version: number, more: object = {}): Promise<Reply> =>
  one.send('POST', `/apps/redeployment/team_${name}/${version}`, {
    body: { deployed: true, appId: 'ignored', version: 'ignored' },
    ...more,
  });

/** The operator`s word on a graph. */
async function report(name: string, status: GraphStatus): Promise<void> {
  const ref = { namespace: 'team', name };
  const { metadata } = await graphs.get(ref);
  const observedGeneration = metadata.generation;
  await graphs.patch(ref, { status: { observedGeneration, ...status } }, 'status');
}

const normal: GraphStatus = {
  phase: 'Deployed',
  components: [
    { name: 'producer', state: 'normal' },
    { name: 'consumer', state: 'normal' },
  ],
  flows: [{ name: 'data', state: 'normal' }],
};

/** The App as both replicas show it, once it fits. */
async function shows(
  id: string,
  fits: (app: Reply['body']) => boolean,
  tenant?: string,
): Promise<Reply['body']> {
  let seen: Reply['body'];
  for (const stand of [one, two]) {
    await waitFor(
      async () => {
        seen = (await stand.send('GET', `/apps/${id}`, { tenant })).body;
        return fits(seen);
      },
      { what: `App ${id}`, deadlineMs: 30_000 },
    ).catch((error: unknown) => {
      throw new Error(`${id} shows ${JSON.stringify(seen)}`, { cause: error });
    });
  }
  return seen;
}

/** Events about a graph, once they fit: documents bring theirs there a moment later. */
async function told(
  type: string,
  name: string,
  fits: (events: Record<string, unknown>[]) => boolean,
): Promise<Record<string, unknown>[]> {
  return waitFor(
    async () => {
      const events = (await one.events(type)).filter((data) => data['name'] === name);
      return fits(events) && events;
    },
    { what: `${type} of ${name}`, deadlineMs: 30_000 },
  );
}

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
    const { port } = upstream.address() as AddressInfo;
    options = {
      database: await testDatabase({ 'graph-apps': graphAppsMigrations }),
      identity: await testIdentity(),
      settings: { kubeconfig: cluster.admin.file, dashboardPath: '/k8s/', ...store() },
      flowAddress: () => ({ host: '127.0.0.1', port }),
    };
    [one, two] = await Promise.all([Stand.start(options), Stand.start(options)]);
  });
  afterAll(async () => {
    await Promise.all([one?.stop(), two?.stop()]);
    await options.database.drop();
    // What one store has come to know is none of the next one's.
    for (const { metadata } of (await graphs.list()).items) await graphs.delete(metadata);
    await cluster.kubectl('label', 'namespace', 'nobodys', 'glacis.dev/tenant-');
  });

  test('6.4: a draft is deployed, follows the operator, gives way to a newer version, and comes back', async () => {
    await create('life', { labels: { team: 'blue' } });
    const stream = new EventReader(await two.open('GET', '/api/v1/apps/team_life/events'));
    const deployed = await redeploy('life', 1);
    expect(deployed.status).toBe(200);
    expect(deployed.body).toMatchObject({ appId: 'team_life', versionId: 1 });
    expect(deployed.body.graph.spec).toEqual({ graph: simpleGraph(), deploy: true });
    const { metadata } = await graphs.get({ namespace: 'team', name: 'life' });
    expect(metadata.labels).toEqual({ team: 'blue' });
    expect(metadata.annotations).toMatchObject({ 'glacis.dev/app-version': '1' });

    await report('life', { phase: 'Deploying' });
    const deploying = await shows('team_life', (app) => statusOf(app, 1) === 'deploying');
    expect(deploying).toMatchObject({ id: metadata.uid, deployed: false, activeVersion: 1 });
    expect(deploying.versions[0].lastDeployment).not.toBeNull();
    await stream.next('status', ({ status }) => status === 'deploying');

    await report('life', { ...normal, endpointPaths: '{"producer":["/team/life/producer"]}' });
    const live = await shows('team_life', (app) => app.deployed);
    expect(live.graph.spec.graph).toEqual(simpleGraph());
    expect(live.versions[0].lastDeployment).toBe(deploying.versions[0].lastDeployment);
    const entry = await stream.next('status', ({ status }) => status === 'deployed');
    const state = await one.send('GET', '/graph-status/team_life');
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
    expect((await one.send('GET', '/apps/team_life/component-links')).body).toEqual([
      { component: 'producer', endpoints: ['/team/life/producer'] },
    ]);
    expect((await one.send('GET', '/apps/team_life/versions/1/dashboard_urls')).body).toEqual({
      k8s: '/k8s/#/workloads?namespace=_all',
    });

    await save('life', { replicas: 2 });
    expect((await redeploy('life', 2)).body.versionId).toBe(2);
    const replaced = await shows('team_life', (app) => app.activeVersion === 2);
    expect(statusOf(replaced, 1)).toBe('undeploying');
    const both = (await one.send('GET', '/graph-status/team_life')).body;
    expect(both.map(({ version }: { version: number }) => version)).toEqual([1, 2]);
    expect(both[0]).toMatchObject({
      status: 'undeploying',
      deployed: false,
      progress: 0,
      nodes: [],
    });
    await report('life', normal);
    await shows('team_life', (app) => statusOf(app, 1) === 'undeployed' && app.deployed);

    const revert = await redeploy('life', 1);
    expect(revert.body.graph.metadata.annotations['glacis.dev/app-version']).toBe('1');
    await shows('team_life', (app) => app.activeVersion === 1 && app.versions.length === 2);

    const undeployed = await one.send('POST', '/apps/redeployment/team_life/7', {
      body: { deployed: false },
    });
    expect(undeployed.body).toEqual({ appId: 'team_life' });
    expect((await graphs.get({ namespace: 'team', name: 'life' })).spec?.deploy).toBe(false);
    await report('life', { phase: 'Undeployed' });
    const down = await shows('team_life', (app) => statusOf(app, 1) === 'undeployed');
    expect(down).toMatchObject({ graph: {}, deployed: false });
    stream.close();

    const requested = await told('deployment.requested', 'life', (events) => events.length === 4);
    expect(requested.map((data) => Object.values(data).slice(3))).toEqual([
      [1, true],
      [2, true],
      [1, true],
      [1, false],
    ]);
    await told('deployment.finished', 'life', (events) =>
      events.some(({ phase }) => phase === 'Undeployed'),
    );
  });

  test('6.5: what is not normal is deployment_error, a failure is error with its message', async () => {
    await create('sick');
    await redeploy('sick', 1);
    await report('sick', {
      ...normal,
      components: [{ name: 'producer', state: 'transient_error' }],
    });
    await shows('team_sick', (app) => statusOf(app, 1) === 'deployment_error');
    const [entry] = (await one.send('GET', '/graph-status/team_sick')).body;
    expect(entry.nodes.map(({ status }: Item) => status)).toEqual(['not_found', 'transient_error']);
    expect(entry.progress).toBe(0.33);
    await report('sick', { phase: 'Failed', reason: 'GraphDeploymentError', messages: 'no chart' });
    await shows('team_sick', (app) => statusOf(app, 1) === 'error');
    const [failed] = (await two.send('GET', '/graph-status/team_sick')).body;
    expect(failed).toMatchObject({ status: 'error', deployed: true, message: 'no chart' });
    const list = await one.send('GET', '/apps?status=error');
    expect(list.body.map(({ name }: { name: string }) => name)).toEqual(['sick']);
    await report('sick', { phase: 'Odd' });
    await shows('team_sick', (app) => statusOf(app, 1) === 'unknown');
  });

  test('6.6: what is changed in the cluster becomes a version once, whichever replica sees it', async () => {
    const spec = { graph: simpleGraph() };
    await graphs.create({
      metadata: { namespace: 'team', name: 'found', labels: { a: 'b' } },
      spec,
    });
    await shows('team_found', (app) => app.activeVersion === 1);
    const edit = (config: object, annotations?: object) =>
      graphs.patch(
        { namespace: 'team', name: 'found' },
        { metadata: { annotations }, spec: { graph: simpleGraph({ ...config }) } },
      );
    await edit({ replicas: 2 });
    await shows('team_found', (app) => app.activeVersion === 2);
    const versions = (await one.send('GET', '/apps/team_found/versions')).body;
    expect(versions.map(({ source }: { source: string }) => source)).toEqual([
      'cluster',
      'cluster',
    ]);
    // Content that is known is the newest version of it; an annotation that agrees names another.
    await save('found', { replicas: 2 });
    await edit({ replicas: 3 });
    await shows('team_found', (app) => app.activeVersion === 4);
    await edit({ replicas: 2 });
    await shows('team_found', (app) => app.activeVersion === 3 && app.versions.length === 4);
    await edit({ replicas: 2 }, { 'glacis.dev/app-version': '2' });
    await shows('team_found', (app) => app.activeVersion === 2 && app.versions.length === 4);
    await graphs.delete({ namespace: 'team', name: 'found' });
    await shows('team_found', (app) => app.state === 'graph_not_found');
    await told('app.deleted', 'found', (events) => events.length === 1);
  });

  test('a graph belongs to the tenant of its Namespace, and a draft of another gives way', async () => {
    const spec = { graph: simpleGraph() };
    await one.send('POST', '/graphs', { body: graphBody({ name: 'squat', namespace: 'other' }) });
    await graphs.create({ metadata: { namespace: 'other', name: 'squat' }, spec });
    await shows('other_squat', (app) => app.activeVersion === 1, 'tenant-b');
    await shows('other_squat', (app) => app.state === 'graph_not_found');
    await graphs.create({ metadata: { namespace: 'nobodys', name: 'plain' }, spec });
    await shows('nobodys_plain', (app) => app.activeVersion === 1, 'default');
    await cluster.kubectl('label', 'namespace', 'nobodys', 'glacis.dev/tenant=tenant-c');
    await shows('nobodys_plain', (app) => app.activeVersion === 1, 'tenant-c');
  });

  test('6.4: a Namespace of another tenant answers like one that is not there', async () => {
    for (const namespace of ['other', 'absent']) {
      await create('wish', { namespace });
      const reply = await one.send('POST', `/apps/redeployment/${namespace}_wish/1`, {
        body: { deployed: true },
      });
      expect([reply.status, reply.body.state]).toEqual([500, 'error redeploying graph']);
      expect(reply.body.message).toBe(`namespaces "${namespace}" not found`);
    }
  });

  test('6.2 #4: a deployed App goes when its graph is gone, and is listed as deleting meanwhile', async () => {
    await create('held');
    await redeploy('held', 1);
    const finalizers = { metadata: { finalizers: ['example.com/hold'] } };
    await graphs.patch({ namespace: 'team', name: 'held' }, finalizers);
    const reply = await one.send('DELETE', '/apps/team_held');
    expect([reply.status, reply.body]).toEqual([200, { appId: 'team_held' }]);
    const isDeleting = ({ appId, status }: Record<string, string>): boolean =>
      appId === 'team_held' && status === 'deleting';
    await waitFor(async () => (await two.send('GET', '/apps/status/list')).body.some(isDeleting));
    await graphs.patch({ namespace: 'team', name: 'held' }, { metadata: { finalizers: null } });
    await shows('team_held', (app) => app.state === 'graph_not_found');
  });

  test('6.4: what the cluster refuses is 422 with its reasons, and no row changes', async () => {
    const match = {
      apiGroups: ['rampart.petuum.com'],
      apiVersions: ['*'],
      resources: ['rampartgraphs'],
    };
    const policy = 'no-refused';
    const version = 'admissionregistration.k8s.io/v1';
    await cluster.apply({
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
    await cluster.apply({
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
        const refused = await graphs.create(probe).then(
          () => false,
          (error: unknown) => isKubeError(error, 'invalid'),
        );
        if (!refused) await graphs.delete(probe.metadata);
        return refused;
      },
      { what: 'the policy', deadlineMs: 60_000 },
    );
    await create('refused');
    const reply = await redeploy('refused', 1);
    expect([reply.status, reply.body.state]).toEqual([422, 'error redeploying graph']);
    expect(reply.body.message).toContain('not this one');
    expect(reply.body.errors).toEqual(expect.any(Array));
    expect((await one.send('GET', '/apps/team_refused')).body).toMatchObject({
      id: null,
      activeVersion: 0,
    });
    const none = await one.send('POST', '/apps/redeployment/team_refused/1', {
      body: { deployed: false },
    });
    expect([none.status, none.body.state]).toEqual([404, 'graph_not_found']);
  });

  test('6.2 #7: an edit with an older `If-Match` deploys nothing', async () => {
    await create('stale');
    await save('stale', {});
    const reply = await redeploy('stale', 1, { headers: { 'if-match': '"1"' } });
    expect([reply.status, reply.body.state]).toEqual([412, 'precondition_failed']);
    expect(await graphs.find({ namespace: 'team', name: 'stale' })).toBeUndefined();
  });

  test('6.2 #17: edges are asked of the liveness service of their component', async () => {
    await create('edges');
    await redeploy('edges', 1);
    await waitFor(
      async () => (await one.send('GET', '/graph-status/team_edges')).body.length === 1,
    );
    const reply = await one.send('GET', '/app/team_edges/edge/output/producer/out');
    expect([reply.status, reply.text]).toEqual([200, '/output/out']);
    for (const [path, state] of [
      ['output/nobody/out', 'component_not_found'],
      ['input/producer/out', 'edge_not_found'],
    ]) {
      const missing = await one.send('GET', `/app/team_edges/edge/${path}`);
      expect([missing.status, missing.body.state]).toEqual([404, state]);
    }
  });

  test('6.3: what stands against a graph in the cluster as it is comes back as warnings', async () => {
    const graph = simpleGraph() as { components: Record<string, object> };
    graph.components.producer = { ...graph.components.producer, namespace: 'other' };
    const reply = await create('warned', { graph });
    expect(reply.status).toBe(201);
    expect(reply.body.warnings.join()).toContain('NAMESPACE_EXISTS');
  });

  test('6.6: graphs that went while nobody looked take their Apps along', async () => {
    await create('lost');
    await redeploy('lost', 1);
    await shows('team_lost', (app) => app.activeVersion === 1);
    await Promise.all([one.program.stop(), two.program.stop()]);
    await graphs.delete({ namespace: 'team', name: 'lost' });
    [one, two] = await Promise.all([Stand.start(options), Stand.start(options)]);
    await shows('team_lost', (app) => app.state === 'graph_not_found');
    await shows('team_life', (app) => app.versions.length === 2);
  });
});
