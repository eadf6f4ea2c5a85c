// Breaches of 2.2 that Rampart let pass or crashed on.
const K = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const E = /^[a-zA-Z0-9_-]+$/;
const SEMVER =
  /^\d+\.\d+\.\d+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;
const TYPES = ['volume', 'repository', 'pulsar', 'kafka'];

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const entries = (value) => (isObject(value) ? Object.entries(value) : []);
const components = ({ spec }) => entries(spec?.graph?.components);
const edgesOf = ([, component]) => [...entries(component?.inputs), ...entries(component?.outputs)];
const unlike = (pattern, values) =>
  values.some((value) => typeof value === 'string' && !pattern.test(value));

/** Keys of 2.2 by the place where they may stand. */
const KEYS = {
  spec: ['graph', 'deploy'],
  graph: ['components', 'flows'],
  component: 'chart config inputs outputs namespace type needs ingressNeeded auxConfig $ui'.split(
    ' ',
  ),
  chart: ['repo', 'name', 'version', 'secret'],
  edge: ['type', 'flow', 'config', '$ui'],
  flow: ['type', 'config', '$ui'],
};

function* placed({ spec }) {
  yield ['spec', spec];
  yield ['graph', spec?.graph];
  for (const entry of components({ spec })) {
    yield ['component', entry[1]];
    yield ['chart', entry[1]?.chart];
    for (const [, edge] of edgesOf(entry)) yield ['edge', edge];
  }
  for (const [, flow] of entries(spec?.graph?.flows)) yield ['flow', flow];
}

export const breaches = {
  'an edge type that is none of the four': (input) =>
    components(input)
      .flatMap(edgesOf)
      .some(([, edge]) => !TYPES.includes(edge?.type)),
  'a version that is neither latest nor SemVer 2': (input) =>
    components(input).some(([, component]) => {
      const version = component?.chart?.version;
      return version !== undefined && version !== 'latest' && !SEMVER.test(version);
    }),
  'an edge name that is no E': (input) =>
    unlike(
      E,
      components(input).flatMap((entry) => edgesOf(entry).map(([name]) => name)),
    ),
  'a name that is no K': (input) =>
    unlike(K, [
      ...components(input).flatMap(([name, component]) => [
        name,
        component?.namespace,
        ...(Array.isArray(component?.needs) ? component.needs : []),
        ...edgesOf([name, component]).map(([, edge]) => edge?.flow),
      ]),
      ...entries(input.spec?.graph?.flows).map(([name]) => name),
    ]),
  'a chart that is no object': (input) =>
    components(input).some(([, component]) => !isObject(component?.chart)),
  'a chart.secret that names no Secret': (input) =>
    components(input).some(([, component]) => {
      const secret = component?.chart?.secret;
      const name = isObject(secret) ? secret.name : secret;
      return secret !== undefined && name !== 'None' && !(typeof name === 'string' && K.test(name));
    }),
  'an unknown key': (input) =>
    [...placed(input)].some(([place, value]) =>
      entries(value).some(([key]) => !KEYS[place].includes(key)),
    ),
  'deploy that is no boolean': ({ spec }) =>
    isObject(spec) && 'deploy' in spec && typeof spec.deploy !== 'boolean',
  'an object that is something else': (input) =>
    [...placed(input)].some(([place, value]) =>
      ['config', 'inputs', 'outputs', 'auxConfig'].some(
        (key) => place !== 'spec' && isObject(value) && key in value && !isObject(value[key]),
      ),
    ),
};
