import { builtIns, type KubeObject } from '@glacis/kube';
import type { GraphWorld } from './graph-world.js';
import { Harm, type Damage } from './harm.js';

const [place, flows] = ['default-g-a', 'default-g-rampart-flows-volume'];
const claim = 'default-g-data';

async function deleteReleases(
  world: GraphWorld,
  namespace: string,
  release: string,
): Promise<void> {
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

/**
 * What is done to the graph `g` of the test, in its order.
 * @param volumes name of the volume of each Namespace
 */
export function damages(world: GraphWorld, volumes: Record<string, string>): Damage[] {
  const harm = new Harm(world);
  return [
    harm.deleted({ kind: 'preset', namespace: place, name: 'a' }),
    harm.edited(
      { kind: 'preset', namespace: place, name: 'a' },
      { spec: { containerTemplate: null } },
      'emptied template',
      spec,
    ),
    harm.edited(
      { kind: 'preset', namespace: place, name: 'a' },
      { spec: { podTemplate: { hostNetwork: true } } },
      'added member',
      spec,
    ),
    harm.deleted({ kind: 'configmap', namespace: place, name: 'a' }),
    harm.edited(
      { kind: 'configmap', namespace: place, name: 'a' },
      { data: { component: 'other' } },
      'edited data',
      data,
    ),
    harm.edited(
      { kind: 'configmap', namespace: place, name: 'a' },
      { data: { more: 'x' } },
      'added data',
      data,
    ),
    harm.edited(
      { kind: 'configmap', namespace: place, name: 'a' },
      { metadata: { labels: { 'glacis.dev/component': 'b' } } },
      'edited label',
      labels,
    ),
    harm.deleted({ kind: 'deployment', ...liveness }),
    harm.edited(
      { kind: 'deployment', ...liveness },
      { spec: { replicas: 0 } },
      'replicas',
      replicas,
    ),
    harm.edited(
      { kind: 'deployment', ...liveness },
      { spec: { template: { spec: { containers: [container] } } } },
      'image',
      image,
    ),
    harm.deleted({ kind: 'service', ...liveness }),
    harm.deleted({ kind: 'deployment', ...service }),
    harm.edited(
      { kind: 'deployment', ...service },
      { spec: { replicas: 3 } },
      'replicas',
      replicas,
    ),
    harm.deleted({ kind: 'service', ...service }),
    harm.edited(
      { kind: 'namespace', name: place },
      { metadata: { labels: { 'controlled-by-rampart': null } } },
      'removed label',
      labels,
    ),
    harm.edited(
      { kind: 'namespace', name: place },
      { metadata: { labels: { 'glacis.dev/component': 'b' } } },
      'edited label',
      labels,
    ),
    harm.edited(
      { kind: 'namespace', name: flows },
      { metadata: { labels: { 'controlled-by-rampart': 'no' } } },
      'edited label',
      labels,
    ),
    harm.edited(
      { kind: 'volume', name: volumes[place] ?? '' },
      { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
      'policy',
      policy,
    ),
    harm.edited(
      { kind: 'volume', name: volumes[flows] ?? '' },
      { spec: { persistentVolumeReclaimPolicy: 'Retain' } },
      'policy',
      policy,
    ),
    harm.edited(
      { kind: 'volume', name: volumes[place] ?? '' },
      { metadata: { labels: { 'glacis.dev/graph': null } } },
      'removed label',
      labels,
    ),
    harm.lostRelease(place, 'component', 'lost release component', () =>
      deleteReleases(world, place, 'component'),
    ),
    harm.lostRelease(place, 'edges', 'lost release edges', () =>
      deleteReleases(world, place, 'edges'),
    ),
    harm.lostRelease(flows, 'flows-volume', 'lost release flows-volume', () =>
      deleteReleases(world, flows, 'flows-volume'),
    ),
    harm.deleted({ kind: 'configmap', namespace: place, name: 'values' }),
    harm.deleted({ kind: 'deployment', namespace: place, name: 'worker' }),
    harm.lostRelease(place, 'component', 'release rolled into pending-upgrade', () =>
      pending(world),
    ),
    harm.lostRelease(place, 'component', 'release Secret that cannot be read', () =>
      garbled(world),
    ),
    podKilled(world),
    deletedClaim(world),
    statusEdited(world),
    foreignFinalizer(world),
    lostFinalizer(world),
    releaseUninstalled(world, harm),
    namespaceDeleted(world, harm),
  ];
}

async function newestSecret(world: GraphWorld): Promise<KubeObject> {
  const labelSelector = 'owner=helm,name=component';
  const { items } = await world.client(builtIns.secrets).list({ namespace: place, labelSelector });
  const revision = ({ metadata }: KubeObject): number => Number(metadata.labels?.version);
  const [newest] = items.toSorted((a, b) => revision(b) - revision(a));
  if (!newest) throw new Error('no release');
  return newest;
}

async function pending(world: GraphWorld): Promise<void> {
  const { metadata } = await newestSecret(world);
  const secrets = world.client(builtIns.secrets);
  await secrets.patch(metadata, { metadata: { labels: { status: 'pending-upgrade' } } });
}

async function garbled(world: GraphWorld): Promise<void> {
  const { metadata } = await newestSecret(world);
  const release = Buffer.from('nothing').toString('base64');
  await world.client(builtIns.secrets).patch(metadata, { data: { release } });
}

async function killPods({ cluster }: GraphWorld): Promise<void> {
  const atOnce = ['--grace-period=0', '--force'];
  await cluster.kubectl('delete', 'pods', '--all', '-n', place, ...atOnce);
}

function podKilled(world: GraphWorld): Damage {
  let before: string[] = [];
  return {
    what: 'killed pods',
    harm: async () => {
      before = await world.pods(place);
      await killPods(world);
    },
    mended: async () => {
      const now = await world.pods(place);
      return now.length === before.length && now.every((uid) => !before.includes(uid));
    },
  };
}

/** Held by the pods that use it, and reported. */
function deletedClaim(world: GraphWorld): Damage {
  return {
    what: 'deleted claim in use (reported)',
    harm: () =>
      world.client(builtIns.persistentVolumeClaims).delete({ namespace: place, name: claim }),
    mended: async () => {
      const [flow] = (await world.read('g')).status?.flows ?? [];
      if (flow?.state === 'error' && flow.message?.includes('being deleted') === true) {
        // Whoever reads that ends the pods; the claim then comes back.
        await killPods(world);
      }
      const there = await world
        .client(builtIns.persistentVolumeClaims)
        .find({ namespace: place, name: claim });
      return there !== undefined && there.metadata.deletionTimestamp === undefined;
    },
  };
}

function statusEdited(world: GraphWorld): Damage {
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

function foreignFinalizer(world: GraphWorld): Damage {
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

function lostFinalizer(world: GraphWorld): Damage {
  return {
    what: 'our finalizer removed',
    harm: () =>
      world.graphs.patch({ namespace: 'default', name: 'g' }, { metadata: { finalizers: null } }),
    mended: async () =>
      (await world.read('g')).metadata.finalizers?.includes('rampart.petuum.com/graph') === true,
  };
}

function releaseUninstalled(world: GraphWorld, harm: Harm): Damage {
  return harm.lostRelease(place, 'component', 'helm uninstall by hand', () =>
    world.cluster.helm('uninstall', 'component', '-n', place, '--wait'),
  );
}

function namespaceDeleted(world: GraphWorld, harm: Harm): Damage {
  return harm.lostRelease(place, 'component', 'deleted Namespace', () =>
    world.cluster.kubectl('delete', 'namespace', place, '--wait=false'),
  );
}
