import {
  admit,
  ClusterIndex,
  examine,
  RULES,
  ruleRun,
  type ChartSource,
  type Graph,
  type RuleCode,
} from '../src/index.js';
import { breaches, OTHER, type Breach, type Loose } from './support/breaches.js';
import {
  exampleCharts,
  exampleCluster,
  exampleGraph,
  NAME,
  unexpected,
} from './support/example.js';

interface Outcome {
  admission: string[];
  operator: string[];
}

async function outcomeOf(breach: Omit<Breach, 'code' | 'title'>): Promise<Outcome> {
  const graph = exampleGraph();
  const spec = { graph };
  breach.change?.(graph as unknown as Loose, spec);
  const cluster = exampleCluster();
  breach.cluster?.(cluster);
  const subject = { ...NAME, uid: 'current', spec, ...breach.subject };
  const charts = { ...exampleCharts(breach.charts), ...breach.charts };
  const { errors } = admit(subject, cluster, unexpected);
  const { verdict } = await examine(subject, cluster, charts, unexpected);
  const lines = (findings: { code: string; path: string }[]) => [
    ...new Set(findings.map(({ code, path }) => `${code} ${path}`)),
  ];
  return { admission: lines(errors), operator: lines(verdict.errors) };
}

describe('graph-apps.md 3.2', () => {
  test('the example breaks no rule', async () => {
    expect(await outcomeOf({})).toEqual({ admission: [], operator: [] });
  });

  test.each(breaches)('$code: $title', async ({ code, path, ...breach }) => {
    const { admission, operator } = await outcomeOf(breach);
    const line = path === undefined ? expect.stringMatching(`^${code} `) : `${code} ${path}`;
    expect(operator).toEqual([line]);
    // Only the operator knows what charts say.
    expect(admission).toEqual(ruleRun(code) === 'A' && !breach.charts ? [line] : []);
  });

  const legal: Record<string, Omit<Breach, 'code' | 'title'>> = {
    'an App without anything': {
      change: (graph) => Object.assign(graph, { components: {}, flows: {} }),
    },
    'a graph that is not to be deployed': { change: (_, spec) => (spec.deploy = false) },
    'names that all objects inherit': {
      change: ({ components, flows }) => {
        flows.constructor = { type: 'pulsar' };
        const edge = { value: { type: 'pulsar', flow: 'constructor' }, enumerable: true };
        components.a.outputs = Object.defineProperty({}, '__proto__', edge);
      },
    },
    'a generated name': { subject: { name: undefined, generateName: 'demo-' } },
    'a namespace of its own': {
      cluster: (cluster) =>
        cluster.setNamespace('team-demo-a', {
          'glacis.dev/graph-namespace': 'team',
          'glacis.dev/graph': 'demo',
          'glacis.dev/graph-uid': 'current',
        }),
    },
    'mount paths that only look alike': {
      change: ({ components }) =>
        (components.a.outputs.more = {
          type: 'volume',
          flow: 'files',
          config: { mountPath: '/data2' },
        }),
    },
    'the mount path /': {
      change: ({ components }) => (components.a.inputs.data.config.mountPath = ' / '),
    },
    'a mountPath of a pulsar edge': {
      change: ({ components }) => (components.a.outputs.news.config = { mountPath: '/data/..' }),
    },
    'edges that the chart does not declare': {
      charts: { annotations: { one: 'inputs: []\noutputs: []' } },
    },
    'an empty annotation': { charts: { annotations: { one: ' \n' } } },
    'infra that a chart of the same graph provides': {
      charts: {
        annotations: {
          one: 'inputs: []\noutputs: []\nprovides: [x]',
          two: 'inputs: []\noutputs: []\nprovides: [x]\nrequires: [x]',
        },
      },
    },
    'a repository Secret of the operator': {
      change: ({ components }) => (components.a.chart.repo = 'repo'),
      charts: { secrets: { 'system/repo': { url: 'https://charts.example.com' } } },
    },
    'a chart.secret': {
      change: ({ components }) => (components.a.chart.secret = 'keys'),
      charts: { secrets: { 'team/keys': { username: 'u', password: 'p' } } },
    },
    'no chart.secret': { change: ({ components }) => (components.a.chart.secret = 'None') },
    ...Object.fromEntries(
      ['1', '+1.5Gi', '.5e3', '100m', '1E', '2.'].map((size) => [
        `the size ${size}`,
        { change: ({ flows }: Loose) => (flows.files.config.size = size) },
      ]),
    ),
  };

  test.each(Object.entries(legal))('legal: %s', async (_, change) => {
    expect(await outcomeOf(change)).toEqual({ admission: [], operator: [] });
  });

  test('3.1: what a stored object claims stays its own at admission; the operator asks the labels', async () => {
    const cluster = (index: ClusterIndex): void => {
      index.setNamespace('team-demo-a', {});
      index.setGraph(NAME, { graph: exampleGraph() });
    };
    const operator = ['NAMESPACE_EXISTS /graph/components/a'];
    expect(await outcomeOf({ cluster })).toEqual({ admission: [], operator });
  });

  test('3.1: a stage gathers all its errors, each once and sorted by path; a later one is not run', async () => {
    const change = ({ components, flows }: Loose): void => {
      components.b.outputs.data.flow = 'none';
      components.a.outputs.log.type = 'pulsar';
      components.a.inputs.data.config.mountPath = '/a:b';
      flows.files.config.size = '0';
      flows.dvc.config.size = '0';
    };
    const admission = [
      'MOUNT_INVALID /graph/components/a/inputs/data/config/mountPath',
      'TYPE_NE_FLOW /graph/components/a/outputs/log/type',
      'FLOW_UNKNOWN /graph/components/b/outputs/data/flow',
      'SIZE_INVALID /graph/flows/files/config/size',
    ];
    expect(await outcomeOf({ change })).toEqual({ admission, operator: admission });
  });

  test('3.1: an error of a chart ends the checks of its component, not those of others', async () => {
    const change = ({ components }: Loose): void => {
      components.a.inputs.data.config.mountPath = '/a:b';
      components.b.outputs.data.flow = 'none';
    };
    const { operator } = await outcomeOf({ change, charts: { annotations: { one: 'x' } } });
    expect(operator).toEqual([
      'SPEC_SCHEMA /graph/components/a/chart',
      'FLOW_UNKNOWN /graph/components/b/outputs/data/flow',
    ]);
  });

  test('3.1: warnings for flows without edges or without writers and for latest', () => {
    const graph = exampleGraph();
    graph.components['a']!.chart = { ...graph.components['a']!.chart, version: 'latest' };
    const { warnings } = admit({ ...NAME, spec: { graph } }, exampleCluster(), unexpected);
    expect(warnings).toEqual([
      'component a: its chart has the version latest, which may change at any time',
      'flow git is read but never written',
      'flow dvc has no edge',
    ]);
  });

  test('3.3: mount paths come from the edge, the chart or the name', async () => {
    const graph = exampleGraph();
    const edge = { type: 'volume', flow: 'files' } as const;
    graph.components['a']!.inputs = {
      'in-1': edge,
      'input_a-b': edge,
      exact: edge,
      set: { ...edge, config: { mountPath: 'set/here/' } },
      blank: { ...edge, config: { mountPath: '' } },
    };
    const one =
      'inputs: [{name: input_*, type: volume, mountPath: /data/in_*}, {name: exact, type: volume, mountPath: /x},' +
      ' {name: exa*, type: volume, mountPath: /no*}, {name: blank, type: volume, mountPath: ""}]\noutputs: []';
    const subject = { ...NAME, spec: { graph } };
    const charts = exampleCharts({ annotations: { one } });
    const { mounts } = await examine(subject, exampleCluster(), charts, unexpected);
    expect(Object.fromEntries(mounts.get('a')!)).toEqual({
      'in-1': '/in_1',
      'input_a-b': '/data/in_a_b',
      exact: '/x',
      set: '/set/here',
      blank: '/blank',
    });
  });

  test('3.3: a chart that several components use is read once', async () => {
    const graph = exampleGraph();
    graph.components['b']!.chart = structuredClone(graph.components['a']!.chart);
    const read: string[] = [];
    const charts: ChartSource = {
      ...exampleCharts(),
      annotation: async ({ name }) => {
        read.push(name);
        return undefined;
      },
    };
    const subject = { ...NAME, spec: { graph } };
    const { verdict } = await examine(subject, exampleCluster(), charts, unexpected);
    expect([verdict.errors, read]).toEqual([[], ['one']]);
  });

  test('KAFKA_ABSENT: neither configured nor provided', () => {
    const cluster = new ClusterIndex({ kafkaConfigured: false });
    cluster.ready = true;
    const graph: Graph = { components: {}, flows: { queue: { type: 'kafka' } } };
    const codes = () =>
      admit({ ...NAME, spec: { graph } }, cluster, unexpected).errors.map(({ code }) => code);
    expect(codes()).toEqual(['KAFKA_ABSENT']);
    cluster.setInfra({ graph: OTHER, createdAt: '' }, ['kafka']);
    expect(codes()).toEqual([]);
  });

  test('INTERNAL: a checker that fails is a refusal with a correlation id', async () => {
    const cluster = Object.assign(exampleCluster(), {
      namespace: () => {
        throw new Error('secret detail');
      },
    });
    const subject = { ...NAME, spec: { graph: exampleGraph() } };
    const { errors } = admit(subject, cluster, () => 'id-1');
    expect(errors).toEqual([
      expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('id-1') }),
    ]);
    expect(errors[0]?.message).not.toContain('secret');
    const { verdict } = await examine(subject, cluster, exampleCharts(), () => 'id-2');
    expect(verdict.errors[0]?.message).toContain('id-2');
  });

  test('every code that is not reserved or internal has a case here', () => {
    const tested = new Set(breaches.map(({ code }) => code));
    const untested = Object.keys(RULES).filter((code) => !tested.has(code as RuleCode));
    expect(untested).toEqual(['FLOW_NAME', 'KAFKA_ABSENT', 'INTERNAL']);
  });
});
