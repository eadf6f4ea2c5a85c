// Thirty kinds of damage to a deployed graph (row 3): each is repaired, or reported as the specification says. The table is
// printed. A real API server and helm, real volumes; pods seem to run.
import { builtIns, type KubeObject, type ResourceType } from '@glacis/kube';
import { resources } from '@glacis/graphs';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import type { Graph } from '../src/graphs/work.js';
import { condition, GraphWorld } from './graph-world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let world: GraphWorld;
const [place, flows] = ['default-g-a', 'default-g-rampart-flows-volume'];
const claim = 'default-g-data';

beforeAll(async () => {
  world = await GraphWorld.open({
    GLACIS_RESYNC_SECONDS: '5',
    GLACIS_PERSISTENT_ERROR_AFTER: '600',
  });
  await world.apply('g', {
    components: {
      a: {
        outputs: { out: { type: 'volume', flow: 'data' } },
        config: { tier: 'gold' },
      },
    },
    flows: {
      data: { type: 'volume', config: { size: '10Mi' } },
      events: { type: 'kafka', config: { partitions: 1 } },
    },
  });
  await world.ready('g');
});
afterAll(async () => {
  process.stderr.write(`${table.join('\n')}\n`);
  await world?.close();
});

const table: string[] = [`${'damage'.padEnd(72)}repaired or reported`];

const typed: Record<string, ResourceType> = {
  preset: resources.presets,
  infra: resources.infras,
  configmap: builtIns.configMaps,
  secret: builtIns.secrets,
  claim: builtIns.persistentVolumeClaims,
  service: builtIns.services,
  deployment: builtIns.deployments,
  namespace: builtIns.namespaces,
  volume: builtIns.persistentVolumes,
  pod: builtIns.pods,
};

interface Named {
  kind: keyof typeof typed;
  namespace?: string;
  name: string;
}

const clientOf = ({ kind }: Named): ReturnType<GraphWorld['client']> =>
  world.client(typed[kind as string] as ResourceType);

/** There again, as another object. */
function deleted(named: Named): Damage {
  let uid = '';
  return {
    what: `deleted ${named.kind} ${named.name}`,
    harm: async () => {
      uid = (await clientOf(named).get(named)).metadata.uid;
      await clientOf(named).delete(named);
    },
    mended: async () => {
      const now = await clientOf(named).find(named);
      return now !== undefined && now.metadata.uid !== uid;
    },
  };
}

/** As it was before a merge patch. */
function edited(
  named: Named,
  patch: object,
  what: string,
  read: (object: never) => unknown,
): Damage {
  let before: unknown;
  return {
    what: `${what} of ${named.kind} ${named.name}`,
    harm: async () => {
      before = read((await clientOf(named).get(named)) as never);
      await clientOf(named).patch(named, patch);
    },
    mended: async () =>
      JSON.stringify(read((await clientOf(named).get(named)) as never)) === JSON.stringify(before),
  };
}

interface Damage {
  what: string;
  harm: () => Promise<unknown>;
  mended: () => Promise<boolean>;
}

/** The newest revision of a release is another, and deployed. */
function lostRelease(
  namespace: string,
  release: string,
  what: string,
  harm: () => Promise<unknown>,
): Damage {
  const deployed = async (): Promise<string> => {
    const labelSelector = `owner=helm,name=${release},status=deployed`;
    const { items } = await world.client(builtIns.secrets).list({ namespace, labelSelector });
    return items.map(({ metadata }) => metadata.uid).join();
  };
  let before = '';
  return {
    what,
    harm: async () => {
      before = await deployed();
      await harm();
    },
    mended: async () => {
      const now = await deployed();
      return now !== '' && now !== before;
    },
  };
}

async function deleteReleases(namespace: string, release: string): Promise<void> {
  await world.cluster.kubectl(
    'delete',
    'secret',
    '-n',
    namespace,
    '-l',
    `owner=helm,name=${release}`,
  );
}

const labels = (object: KubeObject): unknown => object.metadata.labels;
const data = (object: { data?: unknown }): unknown => object.data;
const spec = (object: { spec?: unknown }): unknown => object.spec;
const replicas = (object: { spec?: { replicas?: number } }): unknown => object.spec?.replicas;
const image = (object: {
  spec?: { template: { spec: { containers: { image: string }[] } } };
}): unknown => object.spec?.template.spec.containers[0]?.image;
const policy = (object: { spec?: { persistentVolumeReclaimPolicy?: string } }): unknown =>
  object.spec?.persistentVolumeReclaimPolicy;

const liveness = { namespace: place, name: 'edges-volume-liveness-service' };
const service = { namespace: flows, name: 'flows-volume-flows-service' };
const container = { name: liveness.name, image: 'other' };

function damages(volumes: Record<string, string>): Damage[] {
  return [
    deleted({ kind: 'preset', namespace: place, name: 'a' }),
    edited(
      { kind: 'preset', namespace: place, name: 'a' },
      { spec: { containerTemplate: null } },
      'emptied template',
      spec,
    ),
    edited(
      { kind: 'preset', namespace: place, name: 'a' },
      { spec: { podTemplate: { hostNetwork: true } } },
      'added member',
      spec,
    ),
    deleted({ kind: 'configmap', namespace: place, name: 'a' }),
    edited(
      { kind: 'configmap', namespace: place, name: 'a' },
      { data: { component: 'other' } },
      'edited data',
      data,
    ),
    edited(
      { kind: 'configmap', namespace: place, name: 'a' },
      { data: { more: 'x' } },
      'added data',
      data,
    ),
    edited(
      { kind: 'configmap', namespace: place, name: 'a' },
      { metadata: { labels: { 'glacis.dev/component': 'b' } } },
      'edited label',
      labels,
    ),
    deleted({ kind: 'deployment', ...liveness }),
    edited({ kind: 'deployment', ...liveness }, { spec: { replicas: 0 } }, 'replicas', replicas),
    edited(
      { kind: 'deployment', ...liveness },
      { spec: { template: { spec: { containers: [container] } } } },
      'image',
      image,
    ),
    deleted({ kind: 'service', ...liveness }),
    deleted({ kind: 'deployment', ...service }),
    edited({ kind: 'deployment', ...service }, { spec: { replicas: 3 } }, 'replicas', replicas),
    deleted({ kind: 'service', ...service }),
    edited(
      { kind: 'namespace', name: place },
      { metadata: { labels: { 'controlled-by-rampart': null } } },
      'removed label',
      labels,
    ),
    edited(
      { kind: 'namespace', name: place },
      { metadata: { labels: { 'glacis.dev/component': 'b' } } },
      'edited label',
      labels,
    ),
    edited(
      { kind: 'namespace', name: flows },
      { metadata: { labels: { 'controlled-by-rampart': 'no' } } },
      'edited label',
      labels,
    ),
    edited(
      { kind: 'volume', name: volumes[place] ?? '' },
      { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
      'policy',
      policy,
    ),
    edited(
      { kind: 'volume', name: volumes[flows] ?? '' },
      { spec: { persistentVolumeReclaimPolicy: 'Retain' } },
      'policy',
      policy,
    ),
    edited(
      { kind: 'volume', name: volumes[place] ?? '' },
      { metadata: { labels: { 'glacis.dev/graph': null } } },
      'removed label',
      labels,
    ),
    lostRelease(place, 'component', 'lost release component', () =>
      deleteReleases(place, 'component'),
    ),
    lostRelease(place, 'edges', 'lost release edges', () => deleteReleases(place, 'edges')),
    lostRelease(flows, 'flows-volume', 'lost release flows-volume', () =>
      deleteReleases(flows, 'flows-volume'),
    ),
    deleted({ kind: 'configmap', namespace: place, name: 'values' }),
    deleted({ kind: 'deployment', namespace: place, name: 'worker' }),
    lostRelease(place, 'component', 'release rolled into pending-upgrade', () => pending()),
    lostRelease(place, 'component', 'release Secret that cannot be read', () => garbled()),
    podKilled(),
    deletedClaim(),
    statusEdited(),
    foreignFinalizer(),
    lostFinalizer(),
    releaseUninstalled(),
    namespaceDeleted(),
  ];
}

async function newestSecret(): Promise<KubeObject> {
  const labelSelector = 'owner=helm,name=component';
  const { items } = await world.client(builtIns.secrets).list({ namespace: place, labelSelector });
  const revision = ({ metadata }: KubeObject): number => Number(metadata.labels?.version);
  const [newest] = items.toSorted((a, b) => revision(b) - revision(a));
  if (!newest) throw new Error('no release');
  return newest;
}

async function pending(): Promise<void> {
  const { metadata } = await newestSecret();
  const secrets = world.client(builtIns.secrets);
  await secrets.patch(metadata, { metadata: { labels: { status: 'pending-upgrade' } } });
}

async function garbled(): Promise<void> {
  const { metadata } = await newestSecret();
  const release = Buffer.from('nothing').toString('base64');
  await world.client(builtIns.secrets).patch(metadata, { data: { release } });
}

function podKilled(): Damage {
  let before: string[] = [];
  return {
    what: 'killed pods',
    harm: async () => {
      before = await world.pods(place);
      await world.cluster.kubectl(
        'delete',
        'pods',
        '--all',
        '-n',
        place,
        '--grace-period=0',
        '--force',
      );
    },
    mended: async () => {
      const now = await world.pods(place);
      return now.length === before.length && now.every((uid) => !before.includes(uid));
    },
  };
}

/** Held by the pods that use it, and reported. */
function deletedClaim(): Damage {
  return {
    what: 'deleted claim in use (reported)',
    harm: () =>
      world.client(builtIns.persistentVolumeClaims).delete({ namespace: place, name: claim }),
    mended: async () => {
      const [flow] = (await world.read('g')).status?.flows ?? [];
      if (flow?.state === 'error' && flow.message?.includes('being deleted') === true) {
        // Whoever reads that ends the pods; the claim then comes back.
        await world.cluster.kubectl(
          'delete',
          'pods',
          '--all',
          '-n',
          place,
          '--grace-period=0',
          '--force',
        );
      }
      const there = await world
        .client(builtIns.persistentVolumeClaims)
        .find({ namespace: place, name: claim });
      return there !== undefined && there.metadata.deletionTimestamp === undefined;
    },
  };
}

function statusEdited(): Damage {
  return {
    what: 'edited status',
    harm: async () => {
      await world.graphs.patch(
        { namespace: 'default', name: 'g' },
        { status: { components: [], messages: 'x' } },
        'status',
      );
    },
    mended: async () => {
      const { status } = await world.read('g');
      return status?.components?.length === 1 && status.messages === undefined;
    },
  };
}

function foreignFinalizer(): Damage {
  return {
    what: 'foreign finalizer on the graph (left alone)',
    harm: () =>
      world.graphs.patch(
        { namespace: 'default', name: 'g' },
        { metadata: { finalizers: ['rampart.petuum.com/graph', 'example.com/other'] } },
      ),
    mended: async () =>
      (await world.read('g')).metadata.finalizers?.includes('example.com/other') === true,
  };
}

function lostFinalizer(): Damage {
  return {
    what: 'our finalizer removed',
    harm: () =>
      world.graphs.patch({ namespace: 'default', name: 'g' }, { metadata: { finalizers: null } }),
    mended: async () =>
      (await world.read('g')).metadata.finalizers?.includes('rampart.petuum.com/graph') === true,
  };
}

function releaseUninstalled(): Damage {
  return lostRelease(place, 'component', 'helm uninstall by hand', () =>
    world.cluster.helm('uninstall', 'component', '-n', place, '--wait'),
  );
}

function namespaceDeleted(): Damage {
  return lostRelease(place, 'component', 'deleted Namespace', () =>
    world.cluster.kubectl('delete', 'namespace', place, '--wait=false'),
  );
}

const isWell = (graph: Graph): boolean => condition(graph, 'Ready')?.status === 'True';

/** Reconciles of graphs that the operator has done so far. */
async function reconciles(): Promise<number> {
  const port = /operator has started: http [^:]*:(\d+)/.exec(await world.operator.log())?.[1];
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const done = /reconciles_total\{controller="rampartgraphs",result="done"\} (\d+)/.exec(text)?.[1];
  return Number(done ?? 0);
}

/** What it has written, but for its Lease and Events. */
async function writes(): Promise<string[]> {
  const events = await world.cluster.auditEvents();
  return events
    .filter(
      ({ user, verb }) =>
        user.username === 'glacis-operator' && /^(create|update|patch|delete)/.test(verb),
    )
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`)
    .filter((write) => !/leases|events/.test(write));
}

test('row 5: a graph that is as it should be costs no write', async () => {
  const before = await writes();
  const done = await reconciles();
  await waitFor(async () => (await reconciles()) >= done + 3, {
    deadlineMs: 60_000,
    everyMs: 250,
    what: 'three looks at it',
  });
  expect((await writes()).slice(before.length)).toEqual([]);
});

test('row 3: every damage is repaired, or reported', async () => {
  const { items } = await world.client(builtIns.persistentVolumes).list();
  const volumes = Object.fromEntries(
    items.map(({ metadata, spec: of }) => [of?.claimRef?.namespace ?? '', metadata.name]),
  );
  const late: string[] = [];
  for (const { what, harm, mended } of damages(volumes)) {
    const began = performance.now();
    await harm();
    const ended = await waitFor(mended, { deadlineMs: 60_000, everyMs: 100 }).then(
      () => true,
      () => false,
    );
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    table.push(`${what.padEnd(72)}${ended ? `${seconds} s` : 'not within 60 s'}`);
    if (!ended) late.push(what);
    await waitFor(async () => isWell(await world.read('g')), {
      deadlineMs: 60_000,
      everyMs: 100,
    }).catch(() => late.push(`${what}: not Ready again`));
  }
  expect(late).toEqual([]);
});
