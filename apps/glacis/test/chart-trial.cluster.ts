// `helm install` with no values: the suite in one pod beside the operator, from its first look to its last trace.
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { sharedKafka, startKafka, type KafkaCluster } from '@glacis/testbed/cluster';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { tellJobStory } from '../src/demo/job-story.js';
import { tellStory, type Step } from '../src/demo/story.js';
import {
  chartFolder,
  listObjects,
  ownCluster,
  packChart,
  Release,
  restrictedNamespace,
  type OwnCluster,
} from './chart.js';
import { graphStory } from './graph-story.js';
import { managerPods } from './manager-pod.js';

const namespace = 'glacis-trial';

let cluster: OwnCluster;
let trial: Release;
/** Every object of the cluster. */
let empty: string[];
let kafka: KafkaCluster | undefined;

interface Backend {
  id: string;
  name: string;
}

beforeAll(async () => {
  cluster = await ownCluster();
  empty = await listObjects(cluster);
  await restrictedNamespace(cluster, namespace);
  trial = new Release(cluster, namespace, await packChart(cluster, cluster.image));
}, 1_200_000);
afterAll(async () => {
  await cluster?.kubectl('delete', 'namespace', namespace, '--ignore-not-found');
  await cluster?.stop();
  await kafka?.stop();
}, 180_000);

test('is ready, its pods by the standard `restricted`', async () => {
  const started = performance.now();
  await trial.install();
  console.log(`helm install to Ready: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
}, 400_000);

test('plays the demo through the addresses of its Services, managers in pods', async () => {
  const managers = `glacis-backends.${namespace}.svc:7011`;
  const steps: string[] = [];
  await tellStory({
    api: await trial.trialApi(),
    managers,
    address: '10.0.0.4',
    dir: await temporaryFolder(),
    startManager: managerPods({ cluster, namespace, image: cluster.image, managers }),
    step: async (title, work) => {
      steps.push(title);
      return (await work()).value;
    },
  });
  expect(steps.at(-1)).toMatch(/audit/);
  await trial.kubectl('delete', 'pods,secrets', '--selector=test=manager', '--wait');
}, 300_000);

test('a TeeManager becomes a registered, certified and connected manager, and goes again', async () => {
  await cluster.apply({
    apiVersion: 'tee.glacis.dev/v1alpha1',
    kind: 'TeeManager',
    metadata: { name: 'first', namespace },
    spec: { backend: { name: 'first' }, tee: 'none' },
  });
  await trial.kubectl('wait', 'teemanager/first', '--for=condition=Ready', '--timeout=90s');
  await trial.kubectl('delete', 'teemanager/first', '--timeout=120s');
}, 300_000);

test('helm test finds the door ready and the names of the Services in every certificate', async () => {
  await trial.test();
}, 300_000);

test('backends.md 13: every series of ours in an alert is one that pods have', async () => {
  const rules = await readFile(join(chartFolder, 'files/alerts.yaml'), 'utf8');
  const named = [...rules.matchAll(/\b([a-z]\w+)\{/g)].map(([, name = '']) => name);
  const foreign = /^(up|kube_\w+)$/;
  const metrics = `${await metricsOf('glacis-gateway', 8080)}${await metricsOf('glacis-operator', 9016)}`;
  const missing = named.filter((name) => !foreign.test(name) && !metrics.includes(`\n${name}`));
  expect(missing).toEqual([]);
});

async function metricsOf(service: string, port: number): Promise<string> {
  const address = await trial.service(service, port);
  return (await fetch(`http://${address}/metrics`)).text();
}

/** What neither an upgrade nor a rollback may lose. */
async function dataAndSecrets(): Promise<object> {
  const api = await trial.trialApi();
  const { backends } = await api.json<{ backends: Backend[] }>('GET', '/backends');
  const join = await trial.kubectl('get', 'secret', 'glacis-join', '--output=jsonpath={.data}');
  return { hosts: backends.map(({ name }) => name), join };
}

const template = (): Promise<string> =>
  trial.kubectl('get', 'statefulset', 'glacis-suite', '--output=jsonpath={.spec.template}');

test('an upgrade keeps the data and the Secrets', async () => {
  // In a cluster that is given, with brokers that its pods reach.
  kafka = cluster.nodes && (await startKafka({ host: cluster.nodes.machineAddress }));
  const brokers = (kafka?.brokers ?? sharedKafka()).join('\\,');
  const values = [
    'graphs.storage.className=hostpath-by-name',
    `graphs.kafka.bootstrap=${brokers}`,
    'jobs.parties.provider=aws',
    `publicUrl=http://${await trial.service('glacis-gateway', 8080)}`,
  ];
  const before = await dataAndSecrets();
  expect(before).toMatchObject({ hosts: [expect.any(String)] });
  await trial.upgrade(...values.map((value) => `--set=${value}`));
  expect(await template()).toContain('GLACIS_JOBS_KUBERNETES_PROVIDER');
  expect(await dataAndSecrets()).toEqual(before);
}, 400_000);

test('plays the job of three owners through the door, its parties in pods', async () => {
  const { door, token } = await trial.trialApi();
  const step: Step = async (_title, work) => (await work()).value;
  await tellJobStory({ door, token, step, providers: ['aws'] });
  const own = ['-l', `glacis-installation=glacis.${namespace}`];
  const made = await cluster.kubectl('get', 'namespaces', ...own, '-o', 'name');
  expect(made.trim().split('\n')).toHaveLength(3);
  await cluster.kubectl('delete', 'namespaces', ...own);
}, 300_000);

graphStory(() => ({ cluster, release: trial }));

test('a rollback keeps the data and the Secrets', async () => {
  const before = await dataAndSecrets();
  expect(before).toMatchObject({ hosts: [expect.any(String)] });
  await trial.helm('rollback', 'glacis', '--wait', '--timeout=240s');
  expect(await template()).not.toContain('GLACIS_JOBS_KUBERNETES_PROVIDER');
  expect(await dataAndSecrets()).toEqual(before);
}, 400_000);

test('is gone after helm uninstall but for what the README names, which its commands remove', async () => {
  await trial.helm('uninstall', 'glacis', '--wait');
  // Of every namespace; a volume goes with its claim.
  const always = [
    `ConfigMap ${namespace} kube-root-ca.crt`,
    `Namespace <none> ${namespace}`,
    `ServiceAccount ${namespace} default`,
  ];
  const left = async (): Promise<string[]> =>
    (await listObjects(cluster)).filter(
      (object) =>
        ![...empty, ...always].includes(object) && !object.startsWith('PersistentVolume '),
    );
  const kept = [
    'CustomResourceDefinition <none> mutationpresets.rampart.petuum.com',
    'CustomResourceDefinition <none> rampartgraphs.rampart.petuum.com',
    'CustomResourceDefinition <none> rampartinfras.rampart.petuum.com',
    'CustomResourceDefinition <none> teemanagers.tee.glacis.dev',
    `Lease ${namespace} glacis-operator`,
    `PersistentVolumeClaim ${namespace} glacis-suite`,
    `Secret ${namespace} glacis-join`,
  ];
  await becomes(left, kept);
  for (const command of await removals()) await trial.kubectl(...command);
  await becomes(left, []);
  const volumes = async (): Promise<string[]> =>
    (await listObjects(cluster)).filter((object) => !empty.includes(object));
  await becomes(volumes, always);
}, 300_000);

/** Fails with the difference when a list does not come to be what is expected. */
async function becomes(list: () => Promise<string[]>, expected: string[]): Promise<void> {
  const same = async (): Promise<boolean> => isDeepStrictEqual(await list(), expected);
  await waitFor(same, { deadlineMs: 180_000, everyMs: 500 }).catch(() => undefined);
  expect(await list()).toEqual(expected);
}

/** The arguments of each kubectl(1) that the README has for what is left. */
async function removals(): Promise<string[][]> {
  const readme = await readFile(join(chartFolder, 'README.md'), 'utf8');
  const lines = readme.match(/^kubectl delete .*$/gm) ?? [];
  return lines.map((line) => line.split(' ').slice(1));
}
