// Graphs from kubectl apply to their end: a real API server, real helm, real volumes and a real broker; pods seem to run.
import { resources } from '@glacis/graphs';
import { builtIns } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import { condition, GraphWorld } from './graph-world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let world: GraphWorld;

beforeAll(async () => {
  world = await GraphWorld.open({ GLACIS_RESYNC_SECONDS: '5' });
});
afterAll(() => world?.close());

const volume = { type: 'volume', config: { size: '10Mi' } } as const;
const edge = { type: 'volume', flow: 'data' } as const;
const pipeline = {
  producer: { outputs: { out: edge } },
  consumer: { inputs: { in: edge }, needs: ['producer'] },
};

/** Revisions of all releases of a graph. */
async function revisions(name: string): Promise<Record<string, number>> {
  const { status } = await world.read(name);
  const all = (status?.components ?? []).flatMap((component) =>
    (component.releases ?? []).map((release): [string, number] => [
      `${component.name}/${release.name}`,
      release.revision,
    ]),
  );
  return Object.fromEntries(all);
}

test('graph-apps.md 4.2: a graph of one component from kubectl apply to Ready, and deleted', async () => {
  await world.apply('one', { components: { a: {} } });
  const { status, metadata } = await world.ready('one');
  expect(metadata.finalizers).toEqual(['rampart.petuum.com/graph']);
  expect(status).toMatchObject({
    phase: 'Deployed',
    observedGeneration: 1,
    componentNamespaces: ['default-one-a'],
    endpointPaths: '{"a":[]}',
    components: [
      {
        name: 'a',
        namespace: 'default-one-a',
        state: 'normal',
        releases: [
          { name: 'edges', revision: 1, status: 'deployed', chart: 'one_edges_helm' },
          { name: 'component', revision: 1, status: 'deployed', chart: 'worker', version: '1.0.0' },
        ],
      },
    ],
  });
  const log = await world.operator.log();
  expect(log).toContain('graph_namespace=default graph_name=one phase=Deployment : message="');
  await waitFor(
    async () => {
      const reasons = await world.cluster.kubectl(
        'get',
        'events',
        '-o',
        'jsonpath={.items[*].reason}',
      );
      return ['Validated', 'Deploying', 'ComponentDeployed', 'Deployed'].every((reason) =>
        reasons.split(' ').includes(reason),
      );
    },
    { deadlineMs: 30_000, everyMs: 500, what: 'the Events' },
  );
  await world.delete('one');
  await world.gone('one');
  expect(await world.namespaces('one')).toEqual([]);
});

test('graph-apps.md 4.2: an edit touches what it changes, and nothing else; what is no longer asked for goes', async () => {
  await world.apply('edited', { components: pipeline, flows: { data: volume } });
  await world.ready('edited');
  const before = await revisions('edited');
  const pods = await world.pods('default-edited-producer');
  await world.apply('edited', {
    components: { ...pipeline, consumer: { ...pipeline.consumer, config: { tier: 'gold' } } },
    flows: { data: volume },
  });
  await world.ready('edited');
  expect(await revisions('edited')).toEqual({ ...before, 'consumer/component': 2 });
  expect(await world.pods('default-edited-producer')).toEqual(pods);
  await world.apply('edited', { components: { producer: {} } });
  await world.ready('edited');
  expect(await world.namespaces('edited')).toEqual(['default-edited-producer']);
  // Its edges are others: its pods were replaced by such as see the new preset.
  await waitFor(
    async () => !(await world.pods('default-edited-producer')).some((uid) => pods.includes(uid)),
  );
});

test('graph-apps.md 4.7, 4.10: undeploy keeps data, redeploy finds it, delete removes it', async () => {
  const draft = { components: pipeline, flows: { data: volume } };
  await world.apply('kept', draft);
  await world.ready('kept');
  const volumes = async (): Promise<Record<string, string | undefined>> => {
    const { items } = await world.client(builtIns.persistentVolumes).list();
    const ours = items.filter(({ spec }) => spec?.claimRef?.name === 'default-kept-data');
    return Object.fromEntries(
      ours.map(({ spec }) => [spec?.claimRef?.namespace, spec?.persistentVolumeReclaimPolicy]),
    );
  };
  const flows = 'default-kept-rampart-flows-volume';
  const policies = {
    [flows]: 'Delete',
    'default-kept-producer': 'Retain',
    'default-kept-consumer': 'Retain',
  };
  await waitFor(
    async () => JSON.stringify(sorted(await volumes())) === JSON.stringify(sorted(policies)),
  );
  await world.apply('kept', { ...draft, deploy: false });
  await world.phase('kept', 'Undeployed');
  expect(await world.namespaces('kept')).toEqual([flows]);
  await waitFor(
    async () => JSON.stringify(await volumes()) === JSON.stringify({ [flows]: 'Delete' }),
  );
  const deployments = world.client(builtIns.deployments);
  const name = 'flows-volume-flows-service';
  expect((await deployments.get({ namespace: flows, name })).spec?.replicas).toBe(0);
  await world.apply('kept', { ...draft, deploy: true });
  await world.ready('kept');
  await waitFor(
    async () => (await deployments.get({ namespace: flows, name })).spec?.replicas === 1,
  );
  await world.delete('kept');
  await world.gone('kept');
  await waitFor(async () => Object.keys(await volumes()).length === 0);
});

const sorted = (record: object): unknown[] =>
  Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));

test('graph-apps.md 4.5, 4.10: `ingressNeeded` adds the aux chart with `auxConfig` alone, and takes it away', async () => {
  const place = { namespace: 'default-routed-a', name: 'aux' };
  const configMaps = world.client(builtIns.configMaps);
  const auxConfig = { tier: 'gold' };
  await world.apply('routed', { components: { a: { ingressNeeded: true, auxConfig } } });
  await world.ready('routed');
  const { data } = (await configMaps.get(place)) as { data?: Record<string, string> };
  expect(JSON.parse(data?.['values'] ?? '')).toEqual(auxConfig);
  expect(await revisions('routed')).toMatchObject({ 'a/auth-aux': 1 });
  await world.apply('routed', { components: { a: {} } });
  await world.ready('routed');
  expect(await configMaps.find(place)).toBeUndefined();
  expect(Object.keys(await revisions('routed')).toSorted()).toEqual(['a/component', 'a/edges']);
});

test('graph-apps.md 4.2: a release that fails keeps back only those that need it, and Failed says why', async () => {
  await world.apply('broken', {
    components: {
      bad: { config: { replicas: 'many' } },
      after: { needs: ['bad'] },
      other: {},
    },
  });
  const { status } = await world.phase('broken', 'Failed');
  expect(status).toMatchObject({ reason: 'GraphDeploymentError' });
  const states = new Map(status?.components?.map((each) => [each.name, each]));
  expect(states.get('other')?.state).toBe('normal');
  expect(states.get('after')).toMatchObject({ state: 'error', message: 'waiting for bad' });
  expect(status?.messages).toContain('bad: ');
  // What stands is kept as it is meanwhile.
  const edges = { namespace: 'default-broken-other', name: 'other' };
  const configMaps = world.client(builtIns.configMaps);
  await configMaps.delete(edges);
  await waitFor(() => configMaps.find(edges), { deadlineMs: 60_000, what: 'the ConfigMap' });
  await world.apply('broken', { components: { bad: {}, after: { needs: ['bad'] }, other: {} } });
  const mended = await world.ready('broken');
  expect(mended.status?.reason).toBeUndefined();
  expect(mended.status?.messages).toBeUndefined();
});

test('graph-apps.md 4.2: a breach of the rules is Failed, and charts are tried again', async () => {
  // Of the other charts it knows by now what they declare.
  const chart = { repo: world.charts.url, name: 'declared', version: '1.0.0' };
  world.charts.break(true);
  await world.apply('unread', { components: { a: { chart } } });
  const failed = await world.phase('unread', 'Failed').finally(() => world.charts.break(false));
  expect(failed.status).toMatchObject({ reason: 'GraphValidationError' });
  expect(failed.status?.messages).toContain('REPO_FAILED');
  expect(condition(failed, 'Validated')).toMatchObject({ status: 'Unknown', reason: 'Pending' });
  await world.ready('unread');
  await world.cluster.kubectl('create', 'namespace', 'default-taken-a');
  await world.apply('taken', { components: { a: {} } });
  const taken = await world.phase('taken', 'Failed');
  expect(taken.status?.messages).toContain('NAMESPACE_EXISTS');
  expect(condition(taken, 'Stalled')).toMatchObject({
    status: 'True',
    reason: 'GraphValidationError',
  });
});

test('graph-apps.md 4.1: a newer generation is next, and an undeploy ends helm', async () => {
  await world.apply('hasty', { components: { slow: { config: { unready: true } } } });
  await world.until('hasty', ({ status }) => status?.phase === 'Deploying');
  await waitFor(async () => 'component' in (await world.releases('default-hasty-slow')), {
    deadlineMs: 60_000,
  });
  await world.apply('hasty', { components: { slow: {} }, deploy: false });
  await world.phase('hasty', 'Undeployed');
  expect(await world.namespaces('hasty')).toEqual([]);
  await world.apply('hasty', { components: { slow: {} }, deploy: true });
  await world.ready('hasty');
});

test('graph-apps.md 4.9: infra is provided, required and lost; a kafka topic comes and goes', async () => {
  const chart = (name: string): { repo: string; name: string; version: string } => ({
    repo: world.charts.url,
    name,
    version: '1.0.0',
  });
  await world.apply('giver', { components: { a: { chart: chart('provider') } } });
  await world.ready('giver');
  await world.client(resources.infras).delete({ namespace: 'default', name: 'giver' });
  await waitFor(
    () => world.client(resources.infras).find({ namespace: 'default', name: 'giver' }),
    {
      deadlineMs: 30_000,
      what: 'what is provided to be said again',
    },
  );
  const topic = { type: 'kafka', flow: 'events' } as const;
  await world.apply('taker', {
    components: { a: { chart: chart('requirer'), outputs: { out: topic } } },
    flows: { events: { type: 'kafka', config: { partitions: 2 } } },
  });
  const { status } = await world.ready('taker');
  expect(status?.flows).toEqual([
    { name: 'events', type: 'kafka', state: 'normal', resource: 'default_taker.events' },
  ]);
  await world.apply('taker', { components: { a: { chart: chart('requirer') } } });
  const after = await world.ready('taker');
  expect(after.status?.flows).toEqual([]);
  await world.apply('giver', { components: { a: { chart: chart('provider') } }, deploy: false });
  await world.phase('giver', 'Undeployed');
  await waitFor(
    async () =>
      (
        await world.cluster.kubectl('get', 'events', '-A', '-o', 'jsonpath={.items[*].reason}')
      ).includes('InfraLost'),
    { deadlineMs: 30_000, everyMs: 250 },
  );
});

test('graph-apps.md 4.4, 4.8: a repository is filled by a Job, with the Secrets that it needs copied', async () => {
  const credentials = { name: 'git-login', namespace: 'default' };
  await world.cluster.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: credentials,
    data: { username: 'dQ==', password: 'cA==' },
  });
  const remote = {
    kind: 'git',
    size: '10Mi',
    remote: 'https://git.example/x',
    secret: 'git-login',
  } as const;
  await world.apply('repo', {
    components: {
      a: {
        outputs: { own: { type: 'repository', flow: 'own' } },
        inputs: { other: { type: 'repository', flow: 'other' } },
      },
    },
    flows: {
      own: { type: 'repository', config: { kind: 'git', size: '10Mi' } },
      other: { type: 'repository', config: remote },
    },
  });
  const { status } = await world.phase('repo', 'Deployed');
  expect(status?.components).toMatchObject([{ name: 'a', state: 'normal' }]);
  const namespace = 'default-repo-rampart-flows-repository';
  const { items: jobs } = await world.client(builtIns.jobs).list({ namespace });
  expect(jobs.map((job) => job.status?.succeeded)).toEqual([1]);
  const secrets = world.client(builtIns.secrets);
  for (const place of [namespace, 'default-repo-a']) {
    expect((await secrets.get({ namespace: place, name: 'git-login' })).data).toEqual({
      username: 'dQ==',
      password: 'cA==',
    });
  }
  // Nothing answers behind the Service: its pods only seem to run.
  await world.until('repo', (graph) =>
    graph.status?.flows?.every(({ state }) => state === 'error'),
  );
  await secrets.patch(credentials, { data: { password: 'cQ==' } });
  await waitFor(
    async () => {
      const copy = await secrets.get({ namespace, name: 'git-login' });
      return copy.data?.['password'] === 'cQ==';
    },
    { deadlineMs: 30_000, what: 'the copy to follow' },
  );
  await world.delete('repo');
  await world.gone('repo');
});
