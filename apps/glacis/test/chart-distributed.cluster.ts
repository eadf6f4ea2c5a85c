// One Deployment per service, two replicas each, over a Postgres and a Kafka of their own, on two nodes. One pod is killed
// after the other, then a node is drained, while writes go on and managers hold streams.
import { waitFor } from '@glacis/runtime';
import { findProcesses, temporaryFolder } from '@glacis/testbed';
import {
  startKafka,
  startKubernetes,
  startPostgres,
  glacisImage,
  type KafkaCluster,
  type KubernetesCluster,
  type PostgresServer,
} from '@glacis/testbed/cluster';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../src/demo/api.js';
import { tellStory } from '../src/demo/story.js';
import { packChart, Release, restrictedNamespace } from './chart.js';
import { Hosts } from './hosts.js';
import { managerPods } from './manager-pod.js';
import { Writer } from './writer.js';

const namespace = 'glacis';
const managers = `glacis-backends.${namespace}.svc:7011`;
const hosts = 4;
/** A hang, not a slow machine: the time that streams were away is printed. */
const patienceMs = 180_000;

let cluster: KubernetesCluster;
let image: string;
let postgres: PostgresServer;
let kafka: KafkaCluster;
let release: Release;
let api: Api;

beforeAll(async () => {
  const built = await glacisImage();
  image = built.name;
  cluster = await startKubernetes({ nodes: 2, images: built.images });
  const host = cluster.nodes!.machineAddress;
  [postgres, kafka] = await Promise.all([startPostgres({ host }), startKafka({ host })]);
  await restrictedNamespace(cluster, namespace);
  release = new Release(cluster, namespace, await packChart(cluster, image));
  const url = await postgres.createDatabase('glacis');
  await release.kubectl('create', 'secret', 'generic', 'postgres', `--from-literal=url=${url}`);
}, 1_200_000);
afterAll(async () => {
  await cluster?.stop();
  await Promise.all([postgres?.stop(), kafka?.stop()]);
}, 120_000);

/** Streams that the pods hold, all of them together. */
async function streams(): Promise<number> {
  const addresses = await release.pods('backends', 'status.podIP');
  // Who does not answer holds none.
  const held = await Promise.all(addresses.map((address) => streamsOf(address).catch(() => 0)));
  return held.reduce((sum, each) => sum + each, 0);
}

async function streamsOf(address: string): Promise<number> {
  const signal = AbortSignal.timeout(5_000);
  const metrics = await (await fetch(`http://${address}:9011/metrics`, { signal })).text();
  const values = metrics.matchAll(/^glacis_backends_connected\{.*\} (\d+)$/gm);
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Does harm while writes go on, and looks for what was lost and how long streams were away. */
async function suffer(what: string, harm: () => Promise<void>): Promise<void> {
  let live = 0;
  const all = async (): Promise<boolean> => (live = await streams()) === hosts;
  await waitFor(all, { deadlineMs: patienceMs, what: 'all streams' });
  const writer = new Writer(api);
  await writer.acknowledged(20);
  await harm();
  const began = performance.now();
  let back = 0;
  try {
    await waitFor(all, { deadlineMs: patienceMs, everyMs: 100 }).catch((cause: unknown) => {
      throw new Error(`${live} of ${hosts} streams are back`, { cause });
    });
    back = performance.now() - began;
    await writer.acknowledged(20);
  } finally {
    await writer.stop();
  }
  const lost = await writer.lost();
  console.log(
    `${what}: streams back after ${(back / 1_000).toFixed(1)} s, ` +
      `${writer.written} writes acknowledged, ${writer.refused} refused, ${lost.length} lost`,
  );
  expect(lost).toEqual([]);
}

test('is ready, and helm test finds the names of the Services in every certificate', async () => {
  const started = performance.now();
  const brokers = kafka.brokers.join('\\,');
  const given = ['--set=postgres.secretName=postgres', `--set=kafka.brokers=${brokers}`];
  await release.upgrade('--install', ...given);
  console.log(`helm install to Ready: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  for (const service of ['gateway', 'backends', 'certificates', 'graph-apps', 'webhooks']) {
    const nodes = await release.pods(service, 'spec.nodeName');
    expect(new Set(nodes).size).toBe(2);
  }
  await release.test();
}, 300_000);

test('plays the demo through the addresses of its Services, managers in pods', async () => {
  api = await release.apartApi();
  await tellStory({
    api,
    managers,
    address: '10.0.0.4',
    dir: await temporaryFolder(),
    startManager: managerPods({ cluster, namespace, image, managers }),
    step: async (_title, work) => (await work()).value,
  });
}, 300_000);

describe('under load', () => {
  beforeAll(async () => {
    const [node] = cluster.nodes!.names;
    const startManager = managerPods({ cluster, namespace, image, managers, node });
    const enrolling = new Hosts(() => ({ api, managers }));
    for (let count = 0; count < hosts; count += 1) {
      const { files } = await enrolling.enrolled();
      const tls = await temporaryFolder();
      for (const [name, text] of Object.entries(files)) {
        await writeFile(join(tls, `${name}.pem`), text);
      }
      await startManager(tls, { GLACIS_MANAGER_VM_DRIVER: 'stub', GLACIS_MANAGER_HTTP_PORT: '0' });
    }
  }, 180_000);

  test.each(['backends', 'certificates', 'gateway'])(
    'a pod of %s is killed: no write is lost, streams come back',
    async (service) => {
      const [pod = ''] = await release.pods(service);
      await suffer(`a pod of ${service} killed`, async () => {
        const [own] = await findProcesses(`HOSTNAME=${pod}`);
        process.kill(own!.pid, 'SIGKILL');
      });
      await release.kubectl('rollout', 'status', `deployment/glacis-${service}`, '--timeout=300s');
    },
    600_000,
  );

  test('a node is drained: no write is lost, streams come back', async () => {
    const [, node = ''] = cluster.nodes!.names;
    await suffer('a node drained', async () => {
      await cluster.kubectl('drain', node, '--delete-emptydir-data', '--timeout=300s');
    });
    expect(new Set(await release.pods('backends', 'spec.nodeName'))).not.toContain(node);
  }, 600_000);
});
