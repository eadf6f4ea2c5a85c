// Shapes of graphs for which a rule of the contract says something else than Rampart did. Written from the text of the
// contract alone: the rules of libs/graphs are not asked.
import { parseDocument } from 'yaml';
import { breaches } from './breaches.mjs';

const entries = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
const components = ({ spec }) => entries(spec?.graph?.components);
const flows = ({ spec }) => entries(spec?.graph?.flows);
const edges = (component) => [...entries(component?.inputs), ...entries(component?.outputs)];
const allEdges = (input) => components(input).flatMap(([, component]) => edges(component));
const needs = (component) => (Array.isArray(component?.needs) ? component.needs : []);
const dashed = (name) => name.replaceAll('_', '-');
const mounted = ({ type }) => type === 'volume' || type === 'repository';
const annotations = ({ context }) => Object.values(context?.charts ?? {}).map(String);
const longest = (limit, names) => names.some((name) => name.length > limit);

function claimed({ namespace, name }, spec) {
  const graph = spec?.graph ?? {};
  const types = new Set(entries(graph.flows).map(([, flow]) => flow?.type));
  return [
    ...entries(graph.components).map(
      ([component, value]) => value?.namespace ?? dashed(`${namespace}-${name}-${component}`),
    ),
    ...['volume', 'repository']
      .filter((type) => types.has(type))
      .map((type) => `${namespace}-${name}-rampart-flows-${type}`),
  ];
}

function others({ graph, context }) {
  return (context?.existingGraphs ?? []).filter(
    ({ metadata }) => metadata.name !== graph.name || metadata.namespace !== graph.namespace,
  );
}

function claims({ namespace, name }, spec) {
  return entries(spec?.graph?.flows)
    .filter(([, flow]) => mounted(flow ?? {}))
    .map(([flow]) => dashed(`${namespace}-${name}-${flow}`));
}

function explicitPaths(component) {
  return edges(component)
    .filter(([, edge]) => mounted(edge ?? {}))
    .map(([, edge]) => edge.config?.mountPath)
    .filter(Boolean)
    .map((path) =>
      path.split('/').filter((part, at, all) => part.trim() || (at && at < all.length - 1)),
    );
}

const startsWith = (path, start) => start.every((part, at) => path[at] === part);

/** Whether `to` can be reached from `from` over at least one need. */
function reaches(map, from, to, seen = new Set()) {
  return (map.get(from) ?? []).some((next) => {
    if (next === to) return true;
    if (seen.has(next)) return false;
    seen.add(next);
    return reaches(map, next, to, seen);
  });
}

export const shapes = {
  ...breaches,
  'a review without namespace': ({ graph }) => !graph.namespace,
  'a cycle through needs': (input) => {
    const map = new Map(components(input).map(([name, component]) => [name, needs(component)]));
    return [...map.keys()].some((name) => reaches(map, name, name));
  },
  'a component that needs itself': (input) =>
    components(input).some(([name, component]) => needs(component).includes(name)),
  'a need that is no component': (input) => {
    const names = components(input).map(([name]) => name);
    return components(input).some(([, component]) =>
      needs(component).some((need) => !names.includes(need)),
    );
  },
  'a mount path with . or .. or // or : or a control character': (input) =>
    [
      ...allEdges(input).map(([, edge]) => edge?.config?.mountPath),
      ...annotations(input).flatMap((text) =>
        [...text.matchAll(/mountPath:\s*(\S+)/g)].map(([, path]) => path),
      ),
    ].some(
      (path) =>
        typeof path === 'string' &&
        (/[:\p{Cc}]/u.test(path) ||
          path.split('/').some((part) => part === '.' || part === '..') ||
          path.replace(/^[/ ]+|[/ ]+$/g, '').includes('//')),
    ),
  'a mount path within another': (input) =>
    components(input).some(([, component]) => {
      const paths = explicitPaths(component);
      return paths.some((path, at) =>
        paths.some((other, index) => at !== index && startsWith(path, other)),
      );
    }),
  'a graph name that is no K or has over 63 characters': ({ graph }) =>
    !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(graph.name ?? '') || graph.name.length > 63,
  'a namespace of over 63 characters': (input) => longest(63, claimed(input.graph, input.spec)),
  'a claim of over 253 characters': (input) => longest(253, claims(input.graph, input.spec)),
  'a kafka topic of over 249 characters': (input) =>
    longest(
      249,
      flows(input).map(([name]) => `${input.graph.namespace}_${input.graph.name}.${name}`),
    ),
  'a size that is no quantity above zero': (input) =>
    flows(input).some(([, flow]) => {
      const size = flow?.config?.size;
      const number = /^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/.exec(
        size,
      );
      return mounted(flow ?? {}) && !(number && /[1-9]/.test(number[1]));
    }),
  'a claim that another graph has': (input) => {
    const own = claims(input.graph, input.spec);
    return others(input).some(({ metadata, spec }) =>
      claims(metadata, spec).some((name) => own.includes(name)),
    );
  },
  'a namespace that is there or that another graph claims': (input) => {
    const taken = [
      ...(input.context?.existingNamespaces ?? []),
      ...others(input).flatMap(({ metadata, spec }) => claimed(metadata, spec)),
    ];
    return claimed(input.graph, input.spec).some((name) => taken.includes(name));
  },
  'a namespace that two components share, or one with flows': (input) => {
    const all = claimed(input.graph, input.spec);
    return new Set(all).size < all.length;
  },
  'a name that is both a component and a flow': (input) => {
    const names = [...components(input), ...flows(input)].map(([name]) => dashed(name));
    return new Set(names).size < names.length;
  },
  'a component called rampart-flows': (input) =>
    components(input).some(([name]) => name === 'rampart-flows'),
  'two edges of one name, _ and - being equal': (input) =>
    components(input).some(([, component]) => {
      const names = edges(component).map(([name]) => dashed(name));
      return new Set(names).size < names.length;
    }),
  'an edge to no flow': (input) => {
    const names = flows(input).map(([name]) => name);
    return allEdges(input).some(([, edge]) => !names.includes(edge?.flow));
  },
  'an edge of another type than its flow': (input) => {
    const types = new Map(flows(input).map(([name, flow]) => [name, flow?.type]));
    return allEdges(input).some(
      ([, edge]) => types.has(edge?.flow) && types.get(edge.flow) !== edge.type,
    );
  },
  'a pulsar flow without pulsar on the cluster': (input) =>
    flows(input).some(([, flow]) => flow?.type === 'pulsar') &&
    !input.context?.providedInfra?.pulsar,
  'a kafka edge or flow': (input) =>
    [...flows(input), ...allEdges(input)].some(([, item]) => item?.type === 'kafka'),
  'kafka in an annotation': (input) =>
    annotations(input).some((text) => /type:\s*["']?kafka/.test(text)),
  'dvc with remote and storageSecret but neither storageRemote nor its type': (input) =>
    flows(input).some(([, flow]) => {
      const { kind, remote, storageSecret, storageRemote, storageSecretType } = flow?.config ?? {};
      return kind === 'dvc' && remote && storageSecret && !storageRemote && !storageSecretType;
    }),
  'dvc with a storageRemote that is not on s3': (input) =>
    flows(input).some(
      ([, { config }]) =>
        config?.kind === 'dvc' && config.storageRemote && !/^s3:/i.test(config.storageRemote),
    ),
  'a repository Secret without url': (input) =>
    Object.values(input.context?.secrets ?? {}).some((data) => !data?.url),
  'a chart.secret': (input) =>
    components(input).some(([, component]) => component?.chart?.secret !== undefined),
  'a chart.secret without username or password': (input) =>
    shapes['a chart.secret'](input) &&
    Object.values(input.context?.secrets ?? {}).some((data) => !data?.username || !data?.password),
  'an annotation that is no YAML': (input) =>
    annotations(input).some((text) => parseDocument(text).errors.length > 0),
  'an annotation with a null list': (input) =>
    annotations(input).some((text) =>
      entries(parseDocument(text).toJS()).some(([, value]) => value === null),
    ),
};
