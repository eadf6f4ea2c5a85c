/** `spec` of a RampartGraph (graph-apps.md 2.2) as a JSON Schema document. */
import { FLOW_TYPES } from '../graph.js';
import {
  ANYTHING,
  byMember,
  closed,
  FREE_OBJECT,
  listOf,
  mapOf,
  oneOfTexts,
  TEXT,
} from './builders.js';
import { EDGE_NAME, NAME, VERSION } from './patterns.js';
import type { Schema } from './schema.js';

const edge = (config: Schema, ...types: string[]): Schema =>
  closed({ type: oneOfTexts(...types), flow: NAME, config, $ui: ANYTHING }, 'type', 'flow');

const edges = mapOf(
  EDGE_NAME,
  byMember(
    'type',
    edge(closed({ mountPath: TEXT }), 'volume', 'repository'),
    edge(FREE_OBJECT, 'pulsar', 'kafka'),
  ),
);

const chart = closed(
  {
    repo: TEXT,
    name: TEXT,
    version: VERSION,
    secret: {
      oneOf: [
        {
          type: 'string',
          pattern: `^None$|${NAME.pattern}`,
          description: 'the name of a Secret, `None` or `null`',
        },
        closed({ name: NAME }, 'name'),
      ],
    },
  },
  'repo',
  'name',
);

const component = closed(
  {
    chart,
    config: FREE_OBJECT,
    inputs: edges,
    outputs: edges,
    namespace: NAME,
    type: TEXT,
    needs: listOf(NAME),
    ingressNeeded: { type: 'boolean' },
    auxConfig: FREE_OBJECT,
    $ui: ANYTHING,
  },
  'chart',
  'config',
  'inputs',
  'outputs',
);

function flow(type: string, config: Schema, ...required: string[]): Schema {
  return closed({ type: oneOfTexts(type), config, $ui: ANYTHING }, 'type', ...required);
}

const storage = { size: TEXT, reclaimPolicy: oneOfTexts('Retain', 'Delete') };

const repository = {
  ...storage,
  remote: TEXT,
  secret: TEXT,
  username: TEXT,
  useremail: TEXT,
  defaultBranch: TEXT,
};

const dvc = {
  ...repository,
  storageRemote: TEXT,
  storageRemoteName: TEXT,
  storageSecret: TEXT,
  storageSecretType: oneOfTexts('s3'),
};

const repositoryConfig = byMember(
  'kind',
  closed({ kind: oneOfTexts('git'), ...repository }, 'kind', 'size'),
  closed({ kind: oneOfTexts('dvc'), ...dvc }, 'kind', 'size'),
);

const kafkaConfig = closed({
  partitions: { type: 'integer', minimum: 1 },
  retentionMs: { type: 'integer', minimum: -1 },
});

const flows: Record<(typeof FLOW_TYPES)[number], Schema> = {
  volume: flow('volume', closed(storage, 'size'), 'config'),
  repository: flow('repository', repositoryConfig, 'config'),
  pulsar: flow('pulsar', FREE_OBJECT),
  kafka: flow('kafka', kafkaConfig),
};

export const GRAPH_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://rampart.petuum.com/rampart-schemas/graph.json',
  title: 'spec of a RampartGraph',
  ...closed(
    {
      graph: closed(
        {
          components: mapOf(NAME, component),
          flows: mapOf(NAME, byMember('type', ...Object.values(flows))),
        },
        'components',
        'flows',
      ),
      deploy: { type: 'boolean' },
    },
    'graph',
  ),
};
