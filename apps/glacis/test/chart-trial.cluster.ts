// `helm install` with no values: the suite in one pod beside the operator, from its first look to its last trace.
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { tellStory } from '../src/demo/story.js';
import { listObjects, ownCluster, packChart, Release, restrictedNamespace } from './chart.js';
import type { OwnCluster } from './chart.js';
import { managerPods } from './manager-pod.js';

const namespace = 'glacis-trial';

let cluster: OwnCluster;
let trial: Release;
let before: string[];

interface Backend {
  id: string;
  name: string;
}

beforeAll(async () => {
  cluster = await ownCluster();
  before = await listObjects(cluster);
  await restrictedNamespace(cluster, namespace);
  trial = new Release(cluster, namespace, await packChart(cluster, cluster.image));
}, 1_200_000);
afterAll(async () => {
  await cluster?.kubectl('delete', 'namespace', namespace, '--ignore-not-found');
  await cluster?.stop();
}, 180_000);

test('is ready within 90 s, its pods by the standard `restricted`', async () => {
  const started = performance.now();
  await trial.install();
  console.log(`helm install to Ready: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
}, 120_000);

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

test('helm test finds the door ready and the names of the Services in every certificate', async () => {
  expect(await trial.helm('test', 'glacis')).toContain('Succeeded');
}, 120_000);

test('an upgrade and a rollback keep the data and the Secrets', async () => {
  const hosts = async (): Promise<string[]> => {
    const api = await trial.trialApi();
    const { backends } = await api.json<{ backends: Backend[] }>('GET', '/backends');
    return backends.map(({ name }) => name);
  };
  const join = (): Promise<string> =>
    trial.kubectl('get', 'secret', 'glacis-join', '--output=jsonpath={.data}');
  const level = (): Promise<string> =>
    trial.kubectl('get', 'statefulset', 'glacis-suite', '--output=jsonpath={.spec.template}');
  const [token, known] = [await join(), await hosts()];
  expect(known).toHaveLength(1);
  await trial.upgrade('--set=logLevel=debug');
  expect(await level()).toContain('"debug"');
  expect([await join(), await hosts()]).toEqual([token, known]);
  await trial.helm('rollback', 'glacis', '--wait', '--timeout=180s');
  expect(await level()).not.toContain('"debug"');
  expect([await join(), await hosts()]).toEqual([token, known]);
}, 600_000);

test('is gone after helm uninstall but for what the README names, which its command removes', async () => {
  await trial.helm('uninstall', 'glacis', '--wait', '--cascade=foreground');
  const own = async (): Promise<string[]> =>
    (await listObjects(cluster)).filter((object) => !before.includes(object));
  const always = [
    `ConfigMap ${namespace} kube-root-ca.crt`,
    `Namespace <none> ${namespace}`,
    `ServiceAccount ${namespace} default`,
  ];
  const claim = `PersistentVolumeClaim ${namespace} glacis-suite`;
  const kept = [claim, `Secret ${namespace} glacis-join`];
  const volume = /^PersistentVolume <none> /;
  expect((await own()).filter((object) => !volume.test(object))).toEqual(
    [...always, ...kept].toSorted(),
  );
  const selector = '--selector=app.kubernetes.io/instance=glacis';
  await trial.kubectl('delete', 'secrets,persistentvolumeclaims', selector);
  await waitFor(async () => (await own()).every((object) => always.includes(object)), {
    deadlineMs: 60_000,
    what: 'only the namespace to be left',
  });
}, 300_000);
