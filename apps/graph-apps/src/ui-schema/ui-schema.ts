import { FLOW_TYPES, V1BETA1, V1BETA2, type FlowType } from '@glacis/graphs';
import type { ComponentType } from './component-types.js';

type Schema = Record<string, unknown>;

const name = { type: 'string', pattern: '^[a-z0-9][-a-z0-9]*[a-z0-9]$' };

/** An object that takes these members only. */
function closed(properties: Record<string, Schema>, required = Object.keys(properties)): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** What the editor draws of a flow and of its edges. */
const looks: Record<FlowType, { label: string; icon: string; color: string }> = {
  volume: { label: 'Volume', icon: 'folder', color: '#4f7cac' },
  repository: { label: 'Repository', icon: 'git-branch', color: '#8a5a9e' },
  pulsar: { label: 'Pulsar', icon: 'radio', color: '#2f8f6b' },
  kafka: { label: 'Kafka', icon: 'activity', color: '#b5652b' },
};

const size = { type: 'string', default: '1Gi' };
const reclaimPolicy = { type: 'string', enum: ['Retain', 'Delete'], default: 'Delete' };
const text = { type: 'string' };
const git = {
  size,
  reclaimPolicy,
  remote: text,
  secret: text,
  username: text,
  useremail: text,
  defaultBranch: text,
};
const dvc = {
  ...git,
  storageRemote: text,
  storageRemoteName: text,
  storageSecret: text,
  storageSecretType: { const: 's3' },
};

const configs: Record<FlowType, Schema> = {
  volume: closed({ size, reclaimPolicy }, ['size']),
  repository: {
    oneOf: [
      closed({ kind: { const: 'git' }, ...git }, ['kind', 'size']),
      closed({ kind: { const: 'dvc' }, ...dvc }, ['kind', 'size']),
    ],
  },
  pulsar: { type: 'object' },
  kafka: closed(
    {
      partitions: { type: 'integer', minimum: 1, default: 1 },
      retentionMs: { type: 'integer', minimum: -1 },
    },
    [],
  ),
};

function flow(type: FlowType): Schema {
  const shape = { type: { const: type }, config: configs[type], $ui: { default: looks[type] } };
  const isMounted = type === 'volume' || type === 'repository';
  return closed(shape, isMounted ? ['type', 'config'] : ['type']);
}

function edge(type: FlowType): Schema {
  const isMounted = type === 'volume' || type === 'repository';
  const config = isMounted ? closed({ mountPath: text }, []) : { type: 'object' };
  const shape = { type: { const: type }, flow: name, config, $ui: { default: looks[type] } };
  return closed(shape, ['type', 'flow']);
}

/** Edges may have any name; those that the type declares are offered. */
function edges(offered: readonly string[] = []): Schema {
  const any = { oneOf: FLOW_TYPES.map((type) => ({ $ref: `#/$defs/edges/${type}` })) };
  const properties = Object.fromEntries(offered.map((each) => [each, any]));
  return { type: 'object', properties, additionalProperties: any, default: {} };
}

function component(given: ComponentType): Schema {
  const { type, chart = type, version, inputs, outputs, config = {}, system = false } = given;
  const shape = {
    type: { const: type },
    chart: closed(
      {
        repo: { ...text, default: 'rampart-repo' },
        name: { ...text, default: chart },
        version: { ...text, default: version },
        secret: {},
      },
      ['repo', 'name'],
    ),
    inputs: edges(inputs),
    outputs: edges(outputs),
    config: { type: 'object', default: config },
    namespace: name,
    needs: { type: 'array', items: name },
    ingressNeeded: { type: 'boolean', default: false },
    auxConfig: { type: 'object' },
    $ui: { default: { core: !system, system } },
  };
  const schema = closed(shape, ['type', 'chart', 'inputs', 'outputs', 'config']);
  return { ...schema, title: type, hideInLibrary: given.hideInLibrary === true };
}

/** The schema that drives the editor: nobody enforces it. */
export function uiSchema(types: readonly ComponentType[]): Schema {
  const offered = types.filter(({ hideInLibrary }) => !hideInLibrary);
  const components = offered.map(({ type }) => ({ $ref: `#/$defs/components/${type}` }));
  const flows = FLOW_TYPES.map((type) => ({ $ref: `#/$defs/flows/${type}` }));
  const named = (list: Schema[]): Schema => ({
    type: 'object',
    propertyNames: name,
    additionalProperties: { oneOf: list },
  });
  const graph = closed({ components: named(components), flows: named(flows) });
  const metadata = { type: 'object', properties: { name, namespace: name }, required: ['name'] };
  const root = closed(
    {
      apiVersion: { enum: [V1BETA1, V1BETA2], default: V1BETA1 },
      kind: { const: 'RampartGraph' },
      metadata,
      spec: closed({ graph }),
    },
    ['kind', 'metadata', 'spec'],
  );
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...root,
    $defs: {
      components: Object.fromEntries(types.map((each) => [each.type, component(each)])),
      flows: Object.fromEntries(FLOW_TYPES.map((type) => [type, flow(type)])),
      edges: Object.fromEntries(FLOW_TYPES.map((type) => [type, edge(type)])),
    },
  };
}
