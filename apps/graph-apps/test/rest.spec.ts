import { draftCases } from './cases/drafts.js';
import { importCases } from './cases/imports.js';
import { nodeConfigCases } from './cases/node-configs.js';
import { withoutClusterCases } from './cases/without-cluster.js';
import { Stand } from './stand.js';

describe('drafts and versions on Postgres', () => {
  draftCases(() => Stand.start());
});

describe('node configs on Postgres', () => {
  nodeConfigCases(() => Stand.start());
});

describe('import into Postgres', () => {
  importCases(() => Stand.start());
});

describe('without a cluster, on Postgres', () => {
  withoutClusterCases((options) => Stand.start(options));
});
