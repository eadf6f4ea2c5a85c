import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import type { Flow } from '../src/graph.js';
import {
  edgesObjects,
  flowObjects,
  initJobs,
  mutationPreset,
  namespaceObject,
  type Manifest,
  type Place,
} from '../src/render/index.js';
import { guestSecurity } from '../src/render/pods.js';
import { component, edge, subjectOf } from './support/render-subject.js';

const repository = (config: object): Flow =>
  ({ type: 'repository', config: { size: '1Gi', ...config } }) as Flow;
const flows: Record<string, Flow> = {
  v: { type: 'volume', config: { size: '1.5Gi', reclaimPolicy: 'Retain' } },
  unused: { type: 'volume', config: { size: '1e3' } },
  own: repository({ kind: 'git', defaultBranch: 'trunk' }),
  away: repository({ kind: 'git', remote: 'git@host:r', secret: 'key' }),
  data: repository({
    kind: 'dvc',
    remote: 'https://host/r',
    secret: 'account',
    storageSecret: 's3',
  }),
  k: { type: 'kafka' },
};
const edges = Object.fromEntries(
  Object.entries(flows).map(([name, { type }]) => [`${name}_IN`, edge(type, name)]),
);
const outputs = Object.fromEntries(
  Object.entries(flows).map(([name, { type }]) => [`${name}-out`, edge(type, name)]),
);
const own = { pullSecret: '{"auths":{}}', livenessScript: 'print()' };
const long = `c${'-long'.repeat(12)}`;
const subject = subjectOf(
  {
    all: component(edges, outputs),
    bare: component(),
    [long]: component(edges, {}, { namespace: 'long' }),
  },
  flows,
  own,
);

let cluster: KubernetesCluster;
beforeAll(async () => {
  cluster = await startKubernetes();
});
afterAll(() => cluster?.stop());

const places: Place[] = [
  { component: 'all' },
  { component: 'bare' },
  { component: long },
  { flowType: 'volume' },
  { flowType: 'repository' },
];

beforeAll(async () => {
  const enforced = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const namespaces = places.map((place) => namespaceObject(subject, place));
  for (const { metadata } of namespaces) Object.assign(metadata.labels, enforced);
  await cluster.apply(...namespaces);
});

const names = ['all', 'bare', long];
const objects = [
  ...names.flatMap((name) => edgesObjects(subject, name)),
  ...flowObjects(subject, 'volume'),
  ...flowObjects(subject, 'repository'),
  ...initJobs(subject),
];

async function dryRun(list: Manifest[]): Promise<void> {
  const file = join(await temporaryFolder(), 'objects.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: list }));
  const told = await cluster.kubectl('create', '--dry-run=server', '-f', file, '-o', 'name');
  expect(told.trim().split('\n')).toHaveLength(list.length);
}

test('graph-apps.md 4.4 to 4.8: an API server takes every object', async () => {
  await dryRun(objects.filter(({ kind }) => kind !== 'MutationPreset'));
});

test('pods of the suite are admitted where Pod Security restricted is enforced', async () => {
  const pods = objects.flatMap(({ metadata: { namespace }, spec }) => {
    const { template } = (spec ?? {}) as { template?: { metadata: object; spec: object } };
    const metadata = { ...template?.metadata, generateName: 'x-', namespace, labels: {} };
    return template ? [{ ...template, apiVersion: 'v1', kind: 'Pod', metadata }] : [];
  });
  expect(pods).toHaveLength(6);
  await dryRun(pods);
});

test('so are pods of components that take a preset and are restricted themselves', async () => {
  const { spec } = mutationPreset(subject, 'all') as unknown as { spec: Preset };
  const container = { name: 'own', image: 'x', securityContext: guestSecurity };
  const securityContext = { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 };
  const pod: Manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'own', namespace: 'ns-g-all', labels: {} },
    spec: {
      ...spec.podTemplate,
      securityContext,
      containers: [{ ...container, ...spec.containerTemplate }],
    },
  };
  await dryRun([pod]);
});

interface Preset {
  containerTemplate: object;
  podTemplate: object;
}
