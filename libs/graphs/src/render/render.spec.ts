import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';
import {
  component,
  edge,
  mountsOf,
  settings,
  subjectOf,
} from '../../test/support/render-subject.js';
import type { Component, DvcConfig, Flow, GitConfig, Graph } from '../graph.js';
import { claimName, rampartView } from '../names.js';
import {
  auxValues,
  componentValues,
  copiedSecrets,
  edgesConfigMap,
  edgesObjects,
  flowObjects,
  initJobs,
  mutationPreset,
  namespaceObject,
  type Manifest,
  type RenderSubject,
} from './index.js';

interface Container {
  name: string;
  image: string;
  env: { name: string; value: string }[];
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  securityContext: object;
}
interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes: { name: string; secret?: { defaultMode: number } }[];
  imagePullSecrets?: { name: string }[];
  securityContext: object;
}
interface Preset {
  containerTemplate: Partial<Pick<Container, 'env' | 'volumeMounts'>>;
  podTemplate: Pick<PodSpec, 'volumes' | 'initContainers' | 'imagePullSecrets'>;
}

const presetOf = (subject: RenderSubject, name = 'c') =>
  mutationPreset(subject, name).spec as Preset;
const kinds = (objects: Manifest[]) =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const podOf = (objects: Manifest[], kind: string) => {
  const found = objects.find((each) => each.kind === kind)!;
  return (found.spec as { template: { metadata: object; spec: PodSpec } }).template;
};
const envOf = ({ env }: Pick<Container, 'env'>) =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]));

const volume: Flow = { type: 'volume', config: { size: '1Gi' } };
const repository = (config: Partial<GitConfig | DvcConfig> = {}): Flow => ({
  type: 'repository',
  config: { kind: 'git', size: '2Gi', ...config } as GitConfig,
});

const marks = {
  'glacis.dev/graph-namespace': 'ns',
  'glacis.dev/graph': 'g',
  'glacis.dev/graph-uid': '7d9e8f7a-0000-4000-8000-000000000000',
};

describe('graph-apps.md 4.4: Namespaces', () => {
  it('carry the marks of 1.4', () => {
    const subject = subjectOf({ c: component({}, {}, { namespace: 'own' }) });
    expect(namespaceObject(subject, { component: 'c' }).metadata).toEqual({
      name: 'own',
      labels: { 'controlled-by-rampart': 'true', ...marks, 'glacis.dev/component': 'c' },
    });
    expect(namespaceObject(subject, { flowType: 'volume' }).metadata).toEqual({
      name: 'ns-g-rampart-flows-volume',
      labels: { 'controlled-by-rampart': 'true', ...marks, 'glacis.dev/flow-type': 'volume' },
    });
  });

  it('get copies of the Secrets that are used there', () => {
    const flows = {
      own: repository({ secret: 'unused' }),
      r: repository({ kind: 'dvc', remote: 'https://h/r', secret: 'g', storageSecret: 'd' }),
    };
    const c = component({ a: edge('repository', 'r'), b: edge('repository', 'own') });
    const subject = subjectOf({ c, d: component() }, flows);
    expect(copiedSecrets(subject, { component: 'c' })).toEqual(['d', 'g']);
    expect(copiedSecrets(subject, { component: 'd' })).toEqual([]);
    expect(copiedSecrets(subject, { flowType: 'repository' })).toEqual(['g']);
  });
});

describe('graph-apps.md 4.5: values', () => {
  it('of a component are those of the user under those of the graph', () => {
    const config = { own: [1], rampart: { inputs: 'gone', kept: 1 }, global: { kept: 2 } };
    const inputs = { 'in-1': edge('volume', 'v'), k: edge('kafka', 'topic-1') };
    const flows: Record<string, Flow> = {
      v: volume,
      'topic-1': { type: 'kafka' },
      p: { type: 'pulsar' },
    };
    const c = component(inputs, { out: edge('pulsar', 'p') }, { config });
    const block = {
      inputs: { 'in-1': '/in_1', k: 'kafka://kafka:9092/ns_g.topic-1' },
      outputs: { out: 'pulsar://proxy.pulsar.svc.cluster.local:6650/rampart/ns_g/p' },
      graphName: 'g',
      namespace: 'ns',
      registry: 'registry.example',
      URLPrefix: '/ns/g/c',
    };
    expect(componentValues(subjectOf({ c }, flows), 'c')).toEqual({
      own: [1],
      rampart: { kept: 1, ...block },
      global: { kept: 2, rampart: block },
    });
    const pulsar = { ...settings.pulsar, clientPort: '' };
    expect(componentValues(subjectOf({ c }, flows, { pulsar }), 'c')).toMatchObject({
      rampart: { outputs: { out: 'pulsar://proxy.pulsar.svc.cluster.local/rampart/ns_g/p' } },
    });
  });

  it('of the aux chart are those of the user alone', () => {
    const auxConfig = { a: 1 };
    const subject = subjectOf({ c: component({}, {}, { auxConfig }), d: component() });
    expect(auxValues(subject, 'c')).toEqual({ a: 1 });
    expect(auxValues(subject, 'd')).toEqual({});
  });

  it('keep names that objects have of their own', () => {
    const config = JSON.parse('{"__proto__":{"a":1},"constructor":{"b":2}}') as object;
    const c = component({}, {}, { config: config as Component['config'] });
    const values = JSON.stringify(componentValues(subjectOf({ c }), 'c'));
    expect(values).toContain('"__proto__":{"a":1},"constructor":{"b":2}');
    expect(({} as { a?: number }).a).toBeUndefined();
  });
});

describe('graph-apps.md 4.6: release edges', () => {
  it('of a component without edges holds what it is', () => {
    const objects = edgesObjects(subjectOf({ c: component() }), 'c');
    expect(kinds(objects)).toEqual(['MutationPreset c', 'ConfigMap c']);
    expect(objects[0]).toEqual({
      apiVersion: 'rampart.petuum.com/v1beta1',
      kind: 'MutationPreset',
      metadata: {
        name: 'c',
        namespace: 'ns-g-c',
        labels: { ...marks, 'glacis.dev/component': 'c' },
        annotations: { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '-5' },
      },
      spec: {
        containerTemplate: { volumeMounts: [{ name: 'c', mountPath: '.RAMPART', readOnly: true }] },
        podTemplate: {
          volumes: [
            {
              name: 'c',
              configMap: {
                name: 'c',
                items: [
                  { key: 'component', path: 'component.yaml' },
                  { key: 'edges', path: 'edges.yaml' },
                ],
              },
            },
          ],
        },
      },
    });
    expect(objects[1]?.data).toEqual({ component: 'c', edges: '[]\n' });
  });

  it('has one claim of a volume flow, read-only where it is read, and liveness', () => {
    const c = component({ 'b-in': edge('volume', 'v') }, { A_out: edge('volume', 'v') });
    const subject = subjectOf({ c }, { v: volume });
    expect(kinds(edgesObjects(subject, 'c'))).toEqual([
      'PersistentVolumeClaim ns-g-v',
      'MutationPreset c',
      'ConfigMap c',
      'Deployment edges-volume-liveness-service',
      'Service edges-volume-liveness-service',
    ]);
    expect(edgesObjects(subject, 'c')[0]?.spec).toEqual({
      accessModes: ['ReadWriteMany'],
      storageClassName: 'rampart',
      resources: { requests: { storage: '1Gi' } },
    });
    const { containerTemplate, podTemplate } = presetOf(subject);
    expect(containerTemplate.env).toEqual([
      { name: 'RAMPART_OUTPUT_A_out', value: '/A_out' },
      { name: 'RAMPART_INPUT_b_in', value: '/b_in' },
    ]);
    expect(containerTemplate.volumeMounts?.slice(0, 2)).toEqual([
      { name: 'flow-volume-v', mountPath: '/A_out', readOnly: false },
      { name: 'flow-volume-v', mountPath: '/b_in', readOnly: true },
    ]);
    const claim = { persistentVolumeClaim: { claimName: 'ns-g-v' } };
    expect(podTemplate.volumes[0]).toEqual({ name: 'flow-volume-v', ...claim });
    expect(podTemplate.volumes).toHaveLength(2);
  });

  it('lists edges by their original names, as text whatever they look like', () => {
    const c = component(
      { '1': edge('volume', 'v'), 'in-2': edge('kafka', 'k') },
      { yes: edge('repository', 'r') },
    );
    const flows: Record<string, Flow> = { v: volume, k: { type: 'kafka' }, r: repository() };
    const { edges } = edgesConfigMap(subjectOf({ c }, flows), 'c').data as { edges: string };
    expect(parse(edges)).toEqual([
      { name: '1', type: 'FlowType.VOLUME', part: 'IOPart.INPUT' },
      { name: 'in_2', type: 'FlowType.KAFKA', part: 'IOPart.INPUT' },
      { name: 'yes', type: 'FlowType.REPOSITORY', part: 'IOPart.OUTPUT' },
    ]);
  });

  it('of a repository edge clones it before the containers, with the Secret to pull the image', () => {
    const c = component({ 'r-in': edge('repository', 'r') });
    const subject = subjectOf({ c }, { r: repository() }, { pullSecret: '{"auths":{}}' });
    const { containerTemplate, podTemplate } = presetOf(subject);
    expect(containerTemplate.env).toEqual([
      { name: 'RAMPART_INPUT_r_in', value: '/r_in' },
      { name: 'RAMPART_REPO_TYPE_INPUT_r_in', value: 'GIT' },
    ]);
    const origin = '/.rampart/repo_origin/ns-g-r-input-r-in';
    const mounts = [
      { name: 'flow-volume-r', mountPath: origin, readOnly: true },
      { name: 'flow-volume-clone-input-r-in', mountPath: '/r_in' },
    ];
    expect(containerTemplate.volumeMounts?.slice(0, 2)).toEqual(mounts);
    expect(podTemplate.imagePullSecrets).toEqual([{ name: 'rampart-internal-repo-edge-secret' }]);
    const [clone] = podTemplate.initContainers!;
    expect(clone).toMatchObject({ name: 'git-clone-input-r-in', image: settings.repositoryImage });
    expect(clone?.volumeMounts).toEqual(mounts);
    expect(envOf(clone!)).toEqual({
      REPO: `${origin}/bare.git`,
      DIR: '/r_in',
      USER_NAME: 'Rampart',
      USER_EMAIL: 'rampart@petuum.com',
    });
    const secret = edgesObjects(subject, 'c').find(({ kind }) => kind === 'Secret');
    expect(secret).toMatchObject({
      metadata: { name: 'rampart-internal-repo-edge-secret', namespace: 'ns-g-c' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') },
    });
  });

  it('has liveness by a script where one is given', () => {
    const c = component({ a: edge('volume', 'v') });
    const objects = edgesObjects(subjectOf({ c }, { v: volume }, { livenessScript: 'x' }), 'c');
    const source = objects.find(({ metadata }) => metadata.name === 'edges-source');
    expect(source?.data).toEqual({ 'run_volume_liveness.py': 'x' });
    const [container] = podOf(objects, 'Deployment').spec.containers;
    expect(container).not.toHaveProperty('command');
    expect(container?.volumeMounts[0]).toEqual({
      name: 'edges-source',
      mountPath: '/app',
      readOnly: true,
    });
  });

  it('replaces the pod of liveness with another preset only', () => {
    const podFor = (mountPath: string) => {
      const c = component({ a: { type: 'volume', flow: 'v', config: { mountPath } } });
      const subject = subjectOf({ c }, { v: volume });
      const mounts = new Map([['c', new Map([['a', mountPath]])]]);
      return JSON.stringify(podOf(edgesObjects({ ...subject, mounts }, 'c'), 'Deployment'));
    };
    expect(podFor('/a')).toBe(podFor('/a'));
    expect(podFor('/a')).not.toBe(podFor('/b'));
  });
});

describe('graph-apps.md 4.7 and 4.8: releases of flows', () => {
  it('are empty without such flows', () => {
    expect(flowObjects(subjectOf({}), 'volume')).toEqual([]);
  });

  it('of volumes hold every claim, used or not, and the service over them', () => {
    const objects = flowObjects(subjectOf({}, { b: volume, a: volume }), 'volume');
    expect(kinds(objects)).toEqual([
      'PersistentVolumeClaim ns-g-a',
      'PersistentVolumeClaim ns-g-b',
      'Deployment flows-volume-flows-service',
      'Service flows-volume-flows-service',
    ]);
    const { metadata, spec } = podOf(objects, 'Deployment');
    expect(metadata).toMatchObject({ labels: { 'rampart-disable-edges': 'true' } });
    expect(spec.containers[0]?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual([
      '/volume_flow_mount/ns-g-a',
      '/volume_flow_mount/ns-g-b',
      '/tmp',
    ]);
    expect(objects.at(-1)).toMatchObject({
      metadata: { labels: { 'rampart-enable-edges': 'true' } },
      spec: { ports: [{ port: 8000 }] },
    });
  });

  it('of repositories mount local ones and clone remote ones', () => {
    const remote = repository({ remote: 'git@host:r', secret: 's', defaultBranch: 'b' });
    const flows = { l: repository(), r: remote, public: repository({ remote: 'https://h/r' }) };
    const objects = flowObjects(subjectOf({}, flows, { pullSecret: '{}' }), 'repository');
    expect(kinds(objects)).toEqual([
      'PersistentVolumeClaim ns-g-l',
      'Secret rampart-internal-stagingsecret',
      'Secret rampart-internal-repo-flow-secret',
      'Deployment flows-repository-flows-service',
      'Service flows-repository-flows-service',
    ]);
    const { spec } = podOf(objects, 'Deployment');
    expect(spec.imagePullSecrets).toEqual([{ name: 'rampart-internal-stagingsecret' }]);
    const [open, guarded] = spec.initContainers!;
    expect(open?.name).toBe('git-clone-public');
    expect(envOf(guarded!)).toEqual({
      REPO: 'git@host:r',
      BRANCH: 'b',
      DIR: '/volume_flow_mount/ns-g-r',
      USER_NAME: '',
      USER_EMAIL: '',
      SSH_PRIVATE_KEY: '/.rampart/repo_secret/ns-g-r/git/ssh-privatekey',
    });
    const secrets = spec.volumes.filter(({ secret }) => secret);
    expect(secrets).toEqual([
      { name: 'git-secret-r', secret: { secretName: 's', defaultMode: 0o400 } },
    ]);
  });
});

const dvc = (rest: Partial<DvcConfig> = {}): Partial<DvcConfig> => ({ kind: 'dvc', ...rest });
const away = { remote: 'https://h/r' };
const bucket = { storageRemote: 's3://b' };

describe('graph-apps.md 4.8: claims and init Jobs', () => {
  const flags = (git: string, init: string, artifact: string, link: string) => ({
    INIT_GIT: git,
    INIT_DVC: init,
    INIT_ARTIFACT: artifact,
    LINK_STORAGE: link,
  });
  const folder = '/.rampart/repo_origin/ns-g-r';
  it.each([
    ['git, no remote', {}, flags('1', '0', '0', '0'), undefined],
    ['dvc, storageRemote', dvc(bucket), flags('1', '1', '0', '1'), ['rampart-external', 's3://b']],
    ['dvc alone', dvc(), flags('1', '1', '1', '1'), ['rampart-local', `${folder}/artifact`]],
    ['dvc, remote', dvc(away), flags('0', '0', '1', '0'), ['rampart-local', `${folder}/artifact`]],
  ])('%s', (_, config, expected, storage) => {
    const subject = subjectOf({}, { r: repository(config) });
    expect(kinds(flowObjects(subject, 'repository'))[0]).toBe('PersistentVolumeClaim ns-g-r');
    const [job] = initJobs(subject);
    const { spec } = podOf([job!], 'Job');
    const { INIT_GIT, INIT_DVC, INIT_ARTIFACT, LINK_STORAGE, ...rest } = envOf(spec.containers[0]!);
    expect({ INIT_GIT, INIT_DVC, INIT_ARTIFACT, LINK_STORAGE }).toEqual(expected);
    expect(rest).toEqual({
      MOUNT_PATH: folder,
      DEFAULT_BRANCH: 'main',
      ...(storage && { STORAGE_REMOTE_NAME: storage[0], STORAGE_REMOTE: storage[1] }),
      USER_NAME: 'Rampart',
      USER_EMAIL: 'rampart@petuum.com',
    });
    expect(job).toMatchObject({
      metadata: { generateName: 'init-repo-', namespace: 'ns-g-rampart-flows-repository' },
      spec: { backoffLimit: 3, activeDeadlineSeconds: 600, ttlSecondsAfterFinished: 600 },
    });
  });

  it.each([
    ['git, remote', away],
    ['dvc, remote, storageRemote', dvc({ ...away, ...bucket })],
  ])('%s: neither', (_, config) => {
    const subject = subjectOf({}, { r: repository(config) });
    expect(initJobs(subject)).toEqual([]);
    expect(kinds(flowObjects(subject, 'repository'))[0]).toMatch('Deployment');
  });

  it('take their own names and e-mail each to its place', () => {
    const config = dvc({
      username: 'u',
      useremail: 'e',
      storageRemoteName: 'n',
      defaultBranch: 'b',
    });
    const [job] = initJobs(subjectOf({}, { r: repository(config) }));
    expect(envOf(podOf([job!], 'Job').spec.containers[0]!)).toMatchObject({
      USER_NAME: 'u',
      USER_EMAIL: 'e',
      STORAGE_REMOTE_NAME: 'n',
      DEFAULT_BRANCH: 'b',
    });
  });
});

describe('graph-apps.md 4.8: variables of a clone', () => {
  const secrets = '/.rampart/repo_secret/ns-g-r-output-o';
  const origin = '/.rampart/repo_origin/ns-g-r-output-o';
  const keys = {
    ACCESS_KEY_ID: `${secrets}/dvc/access_key_id`,
    SECRET_ACCESS_KEY: `${secrets}/dvc/secret_access_key`,
  };
  const http = {
    CRED_USERNAME: `${secrets}/git/username`,
    CRED_PASSWORD: `${secrets}/git/password`,
  };
  const ssh = { SSH_PRIVATE_KEY: `${secrets}/git/ssh-privatekey` };
  const secret = { secret: 's' };
  const nobody = { USER_NAME: '', USER_EMAIL: '' };
  const external = { EXTRA_REMOTE_NAME: 'rampart-external', EXTRA_REMOTE: 's3://b' };
  it.each([
    ['public', away, { ...nobody }],
    ['http with Secret', { ...away, ...secret }, { ...nobody, ...http }],
    ['scp', { remote: 'git@h:r', ...secret }, { ...nobody, ...ssh }],
    ['scp without user', { remote: 'h:r', ...secret }, { ...nobody, ...ssh }],
    ['ssh', { remote: 'ssh://h/r', ...secret }, { ...nobody, ...ssh }],
    ['git protocol', { remote: 'git://h/r', ...secret }, { ...nobody }],
    ['dvc, storage', dvc({ ...away, ...bucket }), { ...nobody, ...external }],
    [
      'dvc, named storage with Secret',
      dvc({ ...away, ...bucket, storageRemoteName: 'n', storageSecret: 'd' }),
      { ...nobody, ...external, EXTRA_REMOTE_NAME: 'n', STORAGE_REMOTE_NAME: 'n', ...keys },
    ],
    [
      'dvc alone elsewhere',
      dvc(away),
      { ...nobody, EXTRA_REMOTE_NAME: 'rampart-local', EXTRA_REMOTE: `${origin}/artifact` },
    ],
    ['dvc, Secret alone', dvc({ ...away, storageSecret: 'd' }), { ...nobody, ...keys }],
  ])('%s', (_, config, expected) => {
    const c = component({}, { o: edge('repository', 'r') });
    const { initContainers } = presetOf(subjectOf({ c }, { r: repository(config) })).podTemplate;
    const { REPO, DIR, ...rest } = envOf(initContainers![0]!);
    expect({ REPO, DIR }).toEqual({ REPO: config.remote, DIR: '/o' });
    expect(rest).toEqual(expected);
  });

  it('of local dvc with keys', () => {
    const c = component({}, { o: edge('repository', 'r') });
    const config = dvc({ ...bucket, storageSecret: 'd', ...secret });
    const preset = presetOf(subjectOf({ c }, { r: repository(config) }));
    expect(envOf(preset.podTemplate.initContainers![0]!)).toMatchObject({
      REPO: `${origin}/bare.git`,
      ...keys,
    });
    const volumes = preset.podTemplate.volumes.filter((each) => each.secret);
    expect(volumes).toEqual([
      { name: 'dvc-secret-r', secret: { secretName: 'd', defaultMode: 0o400 } },
    ]);
  });

  it('lists the Secret of two edges once', () => {
    const c = component({ i: edge('repository', 'r') }, { o: edge('repository', 'r') });
    const flows = { r: repository({ ...away, ...secret }) };
    const { volumes, initContainers } = presetOf(subjectOf({ c }, flows)).podTemplate;
    expect(volumes.map(({ name }) => name)).toEqual([
      'flow-volume-clone-input-i',
      'git-secret-r',
      'flow-volume-clone-output-o',
      'c',
    ]);
    expect(initContainers).toHaveLength(2);
  });
});

describe('pods that the suite brings', () => {
  const flows = { v: volume, r: repository(), s: repository({ ...away, secret: 's' }) };
  const c = component({ a: edge('volume', 'v'), b: edge('repository', 's') });
  const subject = subjectOf({ c }, flows);
  const pods = [
    podOf(edgesObjects(subject, 'c'), 'Deployment'),
    podOf(flowObjects(subject, 'volume'), 'Deployment'),
    podOf(flowObjects(subject, 'repository'), 'Deployment'),
    podOf(initJobs(subject), 'Job'),
  ].map(({ spec }) => spec);

  it('pass Pod Security restricted', () => {
    for (const spec of pods) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
        expect(container.securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        });
      }
      expect(spec).toHaveProperty('automountServiceAccountToken', false);
    }
  });

  it('share a group with their Secrets, and with nothing else', () => {
    const groups = pods.map((spec) => 'fsGroup' in spec.securityContext);
    expect(groups).toEqual([true, false, true, false]);
  });

  it('and clones in the pods of others, which run as their user', () => {
    const [clone] = presetOf(subject).podTemplate.initContainers!;
    expect(clone?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });
});

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,70}[a-z0-9])?$/);
const edgeName = fc.oneof(fc.stringMatching(/^[a-zA-Z0-9_-]{1,70}$/), fc.constantFrom('x', 'X'));
const flow = fc.oneof(
  fc.constant(volume),
  fc
    .constantFrom({}, away, dvc(), dvc(away), { ...away, secret: 's' }, dvc({ storageSecret: 'd' }))
    .map(repository),
  fc.constant<Flow>({ type: 'kafka' }),
);
const names = fc.oneof(name, fc.constantFrom('c', 'clone-input-x', 'flow-volume-v', 'v'));

/** Graphs that the rules accept, as far as names in pods are concerned. */
const graphs = fc.dictionary(names, flow, { minKeys: 1, maxKeys: 5 }).chain((flows) => {
  const edges = fc.dictionary(edgeName, fc.constantFrom(...Object.keys(flows)), { maxKeys: 4 });
  const typed = (chosen: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(chosen).map(([each, to]) => [each, edge(flows[to]!.type, to)]),
    );
  const parts = fc.tuple(edges, edges).map(([inputs, outputs]) => {
    const kubernetes = new Set(Object.keys(inputs).map(rampartView));
    const rest = Object.entries(outputs).filter(([each]) => !kubernetes.has(rampartView(each)));
    return component(typed(unique(inputs)), typed(unique(Object.fromEntries(rest))));
  });
  return fc
    .dictionary(names, parts, { minKeys: 1, maxKeys: 3 })
    .map((components): Graph => ({ components, flows }));
});

const unique = (edges: Record<string, string>) =>
  Object.fromEntries(
    new Map(Object.entries(edges).map((entry) => [rampartView(entry[0]), entry])).values(),
  );

function everything(subject: RenderSubject): Manifest[] {
  const components = Object.keys(subject.spec.components).toSorted();
  return [
    ...components.flatMap((each) => edgesObjects(subject, each)),
    ...flowObjects(subject, 'volume'),
    ...flowObjects(subject, 'repository'),
    ...initJobs(subject),
  ];
}

const reversed = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toReversed())
      : each,
  );

describe('rendering', () => {
  const subjectFor = (spec: Graph): RenderSubject => ({
    ...subjectOf({}),
    spec,
    mounts: mountsOf(spec),
    settings: { ...settings, pullSecret: '{}' },
  });

  it('is the same whatever the order of keys', () => {
    fc.assert(
      fc.property(graphs, (spec) => {
        const other = subjectFor(reversed(spec) as Graph);
        expect(JSON.stringify(everything(other))).toBe(
          JSON.stringify(everything(subjectFor(spec))),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('gives volumes and containers of a pod legal names, each its own', () => {
    const check = (list: { name: string }[]) => {
      const found = list.map((each) => each.name);
      expect(new Set(found).size).toBe(found.length);
      for (const each of found) expect(each).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
    };
    fc.assert(
      fc.property(graphs, (spec) => {
        const subject = subjectFor(spec);
        for (const each of Object.keys(spec.components)) {
          const { containerTemplate, podTemplate } = presetOf(subject, each);
          check(podTemplate.volumes);
          check(podTemplate.initContainers ?? []);
          const volumes = new Set(podTemplate.volumes.map((found) => found.name));
          for (const mount of containerTemplate.volumeMounts ?? [])
            expect(volumes).toContain(mount.name);
        }
        for (const type of ['volume', 'repository'] as const) {
          const objects = flowObjects(subject, type);
          if (objects.length === 0) continue;
          const pod = podOf(objects, 'Deployment').spec;
          check(pod.volumes);
          check(pod.initContainers ?? []);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('graph-apps.md 9.1: who sees whom, by what is rendered', () => {
  type Reach = Record<string, Record<string, Record<string, [string, string][]>>>;
  const fixtures = new URL('../../../../conformance/fixtures/', import.meta.url);
  const cases = JSON.parse(readFileSync(new URL('e2e-connectivity.json', fixtures), 'utf8')) as {
    id: string;
    expectedReach: Reach;
  }[];

  /** What an edge of a component leads to: a claim, an origin in a claim, or a topic. */
  function endsOf(subject: RenderSubject, each: string, part: 'input' | 'output') {
    const { containerTemplate, podTemplate } = presetOf(subject, each);
    const claims = new Map(
      (
        podTemplate.volumes as { name: string; persistentVolumeClaim?: { claimName: string } }[]
      ).map((found) => [found.name, found.persistentVolumeClaim?.claimName]),
    );
    const env = envOf({ env: containerTemplate.env ?? [] });
    const { edges } = edgesConfigMap(subject, each).data as { edges: string };
    const listed = parse(edges) as { name: string; type: string; part: string }[];
    return listed
      .filter((found) => found.part === `IOPart.${part.toUpperCase()}`)
      .map(({ name: found, type }) => {
        const value = env[`RAMPART_${part.toUpperCase()}_${found}`]!;
        const clone = podTemplate.initContainers?.find((one) => envOf(one).DIR === value);
        const at = clone ? envOf(clone).REPO!.replace('/bare.git', '') : value;
        const mount = containerTemplate.volumeMounts?.find(({ mountPath }) => mountPath === at);
        const word = type.replace('FlowType.', '').toLowerCase();
        return { edge: found, type: word, end: claims.get(mount?.name ?? '') ?? value };
      });
  }

  it.each(cases.map((each) => [each.id, each] as const))('%s', (id, { expectedReach }) => {
    const text = readFileSync(new URL(`graphs/e2e-${id}.yaml`, fixtures), 'utf8');
    const { spec } = parse(text) as { spec: { graph: Graph } };
    const subject = subjectFrom(spec.graph);
    const all = Object.keys(spec.graph.components);
    const writers = all.flatMap((each) =>
      endsOf(subject, each, 'output').map((end) => ({ ...end, component: each })),
    );
    for (const each of all) {
      const reach = expectedReach[each]!;
      const found = endsOf(subject, each, 'input');
      const expected = Object.entries(reach).flatMap(([type, edges]) =>
        Object.entries(edges).map(([one, seen]) => `${type} ${one} ${sorted(seen)}`),
      );
      const ours = found.map(({ edge: one, type, end }) => {
        const seen = writers.filter((writer) => writer.end === end);
        return `${type} ${one} ${sorted(seen.map((writer) => [writer.component, writer.edge]))}`;
      });
      expect(ours.toSorted()).toEqual(expected.toSorted());
    }
    expect(claimName(subject.graph, 'x')).toBe('ns-g-x');
  });

  const sorted = (pairs: [string, string][]) =>
    pairs
      .map((pair) => pair.join('/'))
      .toSorted()
      .join();
  const subjectFrom = (spec: Graph): RenderSubject => ({
    ...subjectOf({}),
    spec,
    mounts: mountsOf(spec),
  });
});
