// What the chart makes and what its accounts may do, without running any of it: an API server without nodes.
import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { rightsOfTheChart } from './chart-rights.js';
import { valuesOfTheChart } from './chart-values.js';

let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetes();
}, 3_600_000);
afterAll(() => cluster?.stop());

describe('values', () => valuesOfTheChart(() => cluster));
describe('rights', () => rightsOfTheChart(() => cluster));
