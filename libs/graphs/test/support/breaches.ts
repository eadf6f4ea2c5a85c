import type { ChartSource, ClusterIndex, RuleCode, Subject } from '../../src/index.js';
import { ChartError } from '../../src/index.js';
import { NAME, type Charts } from './example.js';

/** Anything may be written where a graph is expected. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = Record<string, any>;

export interface Breach {
  code: RuleCode;
  title: string;
  /** What makes the example break the rule. */
  change?: (graph: Loose, spec: Loose) => void;
  subject?: Partial<Subject>;
  cluster?: (cluster: ClusterIndex) => void;
  charts?: Charts & Partial<ChartSource>;
  path?: string;
}

export const OTHER = { namespace: 'other', name: 'graph' };
const long = (length: number): string => 'x'.repeat(length);
const annotated = (text: string): Charts => ({ annotations: { one: text } });
const C = '/graph/components';
const F = '/graph/flows';

export const breaches: Breach[] = [
  { code: 'NAME_MISSING', title: 'neither name nor generateName', subject: { name: '' } },
  { code: 'NAMESPACE_MISSING', title: 'no namespace', subject: { namespace: undefined } },
  {
    code: 'BUSY',
    title: 'a cluster that is not read yet',
    cluster: (cluster) => (cluster.ready = false),
  },
  { code: 'SCHEMA', title: 'an unknown key', change: (graph) => (graph.a = 1), path: '/graph/a' },
  {
    code: 'SCHEMA',
    title: 'deploy null',
    change: (_, spec) => (spec.deploy = null),
    path: '/deploy',
  },
  {
    code: 'SCHEMA',
    title: 'a chart that is text',
    change: ({ components }) => (components.a.chart = 'r/c'),
    path: `${C}/a/chart`,
  },
  {
    code: 'SCHEMA',
    title: 'a version that contains latest',
    change: ({ components }) => (components.a.chart.version = 'latest-1'),
    path: `${C}/a/chart/version`,
  },
  {
    code: 'SCHEMA',
    title: 'a version with a newline',
    change: ({ components }) => (components.a.chart.version = '1.0.0\n'),
    path: `${C}/a/chart/version`,
  },
  {
    code: 'SCHEMA',
    title: 'an empty edge name',
    change: ({ components }) => (components.a.outputs[''] = { type: 'pulsar', flow: 'topic' }),
    path: `${C}/a/outputs/`,
  },
  {
    code: 'SCHEMA',
    title: 'an edge type that contains one',
    change: ({ components }) => (components.a.outputs.news.type = 'pulsars'),
    path: `${C}/a/outputs/news/type`,
  },
  {
    code: 'SCHEMA',
    title: 'a key of dvc in a git flow',
    change: ({ flows }) => (flows.git.config.storageRemote = 's3://b'),
    path: `${F}/git/config/storageRemote`,
  },
  {
    code: 'SCHEMA',
    title: 'half a partition',
    change: ({ flows }) => (flows.queue.config = { partitions: 1.5 }),
    path: `${F}/queue/config/partitions`,
  },
  {
    code: 'SCHEMA',
    title: 'no partition',
    change: ({ flows }) => (flows.queue.config = { partitions: 0 }),
    path: `${F}/queue/config/partitions`,
  },
  {
    code: 'SCHEMA',
    title: 'a name that all objects inherit, where none is known',
    change: ({ components }) =>
      Object.defineProperty(components.a, '__proto__', { value: {}, enumerable: true }),
    path: `${C}/a/__proto__`,
  },
  {
    code: 'SCHEMA',
    title: 'values a hundred thousand deep',
    change: ({ components }) =>
      (components.a.config.x = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))),
    path: `${C}/a/config`,
  },
  { code: 'GRAPH_NAME', title: 'a name with a dot', subject: { name: 'a.b' }, path: '' },
  {
    code: 'GRAPH_NAME',
    title: 'a generateName with a bad beginning',
    subject: { name: '', generateName: '-a' },
  },
  {
    code: 'NAMESPACE_LENGTH',
    title: 'an explicit namespace of 64',
    change: ({ components }) => (components.a.namespace = long(64)),
    path: `${C}/a/namespace`,
  },
  {
    code: 'NAMESPACE_LENGTH',
    title: 'a derived one',
    change: ({ components }) => (components[long(60)] = components.a),
    path: `${C}/${long(60)}`,
  },
  { code: 'NAMESPACE_LENGTH', title: 'one of flows', subject: { name: long(40) }, path: F },
  {
    code: 'NAMESPACE_EXISTS',
    title: 'an explicit namespace that is there',
    change: ({ components }) => (components.a.namespace = 'kube-system'),
    cluster: (cluster) => cluster.setNamespace('kube-system', {}),
    path: `${C}/a/namespace`,
  },
  {
    code: 'NAMESPACE_EXISTS',
    title: 'one that another graph claims',
    change: ({ components }) => (components.a.namespace = 'other-graph-c'),
    cluster: (cluster) => cluster.setGraph(OTHER, { graph: { components: { c: {} } } }),
    path: `${C}/a/namespace`,
  },
  {
    code: 'NAMESPACE_EXISTS',
    title: 'a flow namespace that is there',
    cluster: (cluster) => cluster.setNamespace('team-demo-rampart-flows-volume', {}),
    path: F,
  },
  {
    code: 'NAMESPACE_EXISTS',
    title: 'one with the labels of another graph',
    cluster: (cluster) =>
      cluster.setNamespace('team-demo-a', {
        'glacis.dev/graph-namespace': 'team',
        'glacis.dev/graph': 'demo',
        'glacis.dev/graph-uid': 'former',
      }),
    path: `${C}/a`,
  },
  {
    code: 'NEEDS_UNKNOWN',
    title: 'a need that is no component',
    change: ({ components }) => (components.a.needs = ['files']),
    path: `${C}/a/needs/0`,
  },
  {
    code: 'NEEDS_UNKNOWN',
    title: 'a need that all objects inherit',
    change: ({ components }) => (components.a.needs = ['constructor']),
    path: `${C}/a/needs/0`,
  },
  {
    code: 'NEEDS_SELF',
    title: 'a need of itself',
    change: ({ components }) => (components.a.needs = ['a']),
    path: `${C}/a/needs/0`,
  },
  {
    code: 'NEEDS_CYCLE',
    title: 'two that need one another',
    change: ({ components }) => (components.a.needs = ['b']),
    path: `${C}/a/needs`,
  },
  {
    code: 'RESERVED_NAME',
    title: 'whatever else is wrong with it',
    change: ({ components }) =>
      (components['rampart-flows'] = {
        ...components.a,
        inputs: { x: { type: 'kafka', flow: 'none' } },
      }),
    path: `${C}/rampart-flows`,
  },
  {
    code: 'FLOW_UNKNOWN',
    title: 'a flow that is none',
    change: ({ components }) => (components.a.outputs.news.flow = 'none'),
    path: `${C}/a/outputs/news/flow`,
  },
  {
    code: 'FLOW_UNKNOWN',
    title: 'a flow that all objects inherit',
    change: ({ components }) => (components.a.outputs.news.flow = 'constructor'),
    path: `${C}/a/outputs/news/flow`,
  },
  {
    code: 'TYPE_NE_FLOW',
    title: 'another type',
    change: ({ components }) => (components.a.outputs.news.type = 'kafka'),
    path: `${C}/a/outputs/news/type`,
  },
  {
    code: 'EDGE_NAME_DUP',
    title: 'over inputs and outputs',
    change: ({ components }) =>
      (components.a = {
        ...components.a,
        inputs: { x_y: { type: 'pulsar', flow: 'topic' } },
        outputs: { 'x-y': { type: 'pulsar', flow: 'topic' } },
      }),
    path: `${C}/a/outputs/x-y`,
  },
  ...['/a/../b', '..', '/a//b', '/a:b', '/a\nb', '/a/./b', '/a\u0085b'].map<Breach>(
    (mountPath) => ({
      code: 'MOUNT_INVALID',
      title: JSON.stringify(mountPath),
      change: ({ components }) => (components.a.inputs.data.config = { mountPath }),
      path: `${C}/a/inputs/data/config/mountPath`,
    }),
  ),
  ...['/', '/data', 'data/', '/data/x', ' /data/ '].map<Breach>((mountPath) => ({
    code: 'MOUNT_PREFIX',
    title: `${JSON.stringify(mountPath)} and /data`,
    change: ({ components }) =>
      (components.a.outputs.data2 = { type: 'repository', flow: 'git', config: { mountPath } }),
  })),
  {
    code: 'MOUNT_PREFIX',
    title: 'a default of the chart, in the operator',
    change: ({ components }) => (components.a.inputs.extra = { type: 'volume', flow: 'files' }),
    charts: annotated('inputs: [{name: ex*, type: volume, mountPath: /data/*}]\noutputs: []'),
    path: `${C}/a/inputs/extra`,
  },
  {
    code: 'MOUNT_INVALID',
    title: 'a default of the chart, in the operator',
    change: ({ components }) => (components.a.inputs.extra = { type: 'volume', flow: 'files' }),
    charts: annotated('inputs: [{name: extra, type: volume, mountPath: /x/../y}]\noutputs: []'),
    path: `${C}/a/inputs/extra`,
  },
  {
    code: 'SECRET_MISSING',
    title: 'a repository Secret that is nowhere',
    change: ({ components }) => (components.a.chart.repo = 'repo'),
    charts: { secrets: { 'other/repo': { url: 'https://x.example.com' } } },
    path: `${C}/a/chart`,
  },
  {
    code: 'SECRET_MISSING',
    title: 'a chart.secret that is nowhere',
    change: ({ components }) => (components.a.chart.secret = 'keys'),
    path: `${C}/a/chart`,
  },
  {
    code: 'SECRET_NO_URL',
    title: 'a repository Secret without url',
    change: ({ components }) => (components.a.chart.repo = 'repo'),
    charts: { secrets: { 'system/repo': {} } },
  },
  {
    code: 'SECRET_KEYS',
    title: 'a chart.secret without password',
    change: ({ components }) => (components.a.chart.secret = { name: 'keys' }),
    charts: { secrets: { 'team/keys': { username: 'u' } } },
  },
  ...(['REPO_FAILED', 'CHART_FAILED'] as const).map<Breach>((code) => ({
    code,
    title: 'as the charts say',
    charts: {
      annotation: async ({ name }) =>
        name === 'one' ? Promise.reject(new ChartError(code, 'text')) : undefined,
    },
    path: `${C}/a/chart`,
  })),
  ...[
    'inputs: [',
    'a',
    '- a',
    'inputs: []',
    'inputs:\noutputs: []',
    'inputs: []\noutputs: []\nx: 1',
    'inputs: []\ninputs: []\noutputs: []',
    'inputs: [*a]\noutputs: []',
    'inputs: [{name: a, type: repository}]\noutputs: []',
    'inputs: [{name: a, type: pulsar, mountPath: /a}]\noutputs: []',
    'inputs: [{name: "a*b", type: pulsar}]\noutputs: []',
    'inputs: [{name: a, type: volume, mountPath: a}]\noutputs: []',
    'inputs: []\noutputs: []\nrequires: [1]',
    'inputs: !x []\noutputs: []',
    'inputs: []\noutputs: []\n__proto__: {}',
  ].map<Breach>((text) => ({
    code: 'SPEC_SCHEMA',
    title: JSON.stringify(text),
    charts: annotated(text),
    path: `${C}/a/chart`,
  })),
  {
    code: 'SPEC_IO_DUP',
    title: 'a name twice',
    charts: annotated('inputs: [{name: a, type: volume}, {name: a, type: pulsar}]\noutputs: []'),
  },
  {
    code: 'SPEC_VARIADIC_MOUNT',
    title: 'a path without a star',
    charts: annotated('inputs: []\noutputs: [{name: a*, type: volume, mountPath: /a}]'),
  },
  {
    code: 'TYPE_NE_SPEC',
    title: 'the longest prefix counts',
    charts: annotated(
      'inputs: [{name: da*, type: pulsar}, {name: "*", type: volume}]\noutputs: []',
    ),
    path: `${C}/a/inputs/data/type`,
  },
  {
    code: 'TYPE_NE_SPEC',
    title: 'a repository edge on a volume declaration',
    change: ({ components }) => (components.a.inputs.data = { type: 'repository', flow: 'git' }),
    charts: annotated('inputs: [{name: data, type: volume}]\noutputs: []'),
    path: `${C}/a/inputs/data/type`,
  },
  ...['0', '1 Gi', '1gi', '-1', '', 'big', '1Gi\n', '0e9'].map<Breach>((size) => ({
    code: 'SIZE_INVALID',
    title: JSON.stringify(size),
    change: ({ flows }) => (flows.dvc.config.size = size),
    path: `${F}/dvc/config/size`,
  })),
  {
    code: 'PVC_NAME_LENGTH',
    title: 'a claim of 254',
    change: ({ flows }) => (flows[long(244)] = flows.files),
    path: `${F}/${long(244)}`,
  },
  {
    code: 'CLAIM_TAKEN',
    title: 'the same name in other parts',
    cluster: (cluster) =>
      cluster.setGraph(
        { namespace: 'team-demo', name: 'x' },
        { graph: { flows: { files: { type: 'volume' } } } },
      ),
    change: ({ flows }) => (flows['x-files'] = flows.files),
    path: `${F}/x-files`,
  },
  {
    code: 'TOPIC_LENGTH',
    title: 'a topic of 250',
    change: ({ flows }) => (flows[long(240)] = { type: 'kafka' }),
    path: `${F}/${long(240)}`,
  },
  {
    code: 'PULSAR_ABSENT',
    title: 'nobody provides it',
    cluster: (cluster) => cluster.deleteInfra({ namespace: 'system', name: 'infra' }),
    path: `${F}/topic`,
  },
  {
    code: 'DVC_SECRET_TYPE',
    title: 'nothing says what the secret is for',
    change: ({ flows }) =>
      (flows.dvc.config = {
        ...flows.dvc.config,
        remote: 'https://g.example.com',
        storageSecret: 's',
      }),
  },
  {
    code: 'DVC_REMOTE_SCHEME',
    title: 'a storage that is not s3',
    change: ({ flows }) => (flows.dvc.config.storageRemote = 'gs://b'),
    path: `${F}/dvc/config/storageRemote`,
  },
  {
    code: 'NAMESPACE_DUP',
    title: 'two components',
    change: ({ components }) => (components.b.namespace = 'team-demo-a'),
    path: `${C}/b/namespace`,
  },
  {
    code: 'NAMESPACE_DUP',
    title: 'a component and the flows',
    change: ({ components }) => (components['rampart-flows-volume'] = components.a),
    path: `${C}/rampart-flows-volume`,
  },
  {
    code: 'NAME_DUP',
    title: 'a component and a flow',
    change: ({ components }) => (components.files = components.a),
    path: `${F}/files`,
  },
  {
    code: 'INFRA_CONFLICT',
    title: 'what another graph provides',
    charts: annotated('inputs: []\noutputs: []\nprovides: [pulsar]'),
    path: `${C}/a/chart`,
  },
  {
    code: 'INFRA_CONFLICT',
    title: 'of two that registered at once the older keeps it',
    cluster: (cluster) =>
      cluster.setInfra({ graph: NAME, createdAt: '2026-01-02T00:00:00Z' }, ['pulsar']),
    charts: annotated('inputs: []\noutputs: []\nprovides: [pulsar]'),
  },
  {
    code: 'INFRA_MISSING',
    title: 'nobody provides it',
    charts: annotated('inputs: []\noutputs: []\nrequires: [apisix]'),
    path: `${C}/a/chart`,
  },
  {
    code: 'INFRA_MISSING',
    title: 'of the aux chart',
    change: ({ components }) => (components.a.ingressNeeded = true),
    charts: { annotations: { aux: 'inputs: []\noutputs: []\nrequires: [apisix]' } },
  },
];
