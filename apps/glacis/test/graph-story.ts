// Issue 6, row 2: the graph of examples/graphs on a real node, from `kubectl apply` until nothing of it is left.
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { listObjects, type OwnCluster, type Release } from './chart.js';

const folder = fileURLToPath(new URL('../../../examples/graphs', import.meta.url));
const graph = ['rampartgraph/relay', '--namespace=default'];
const producer = 'default-relay-producer';
const consumer = 'default-relay-consumer';

/** What the consumer has read of each flow. */
interface Read {
  count: number;
  last: { number: number };
}
type Answer = Record<'volume' | 'repository' | 'kafka', Read | null>;

interface Graph {
  metadata: object;
  spec: { graph: { components: Record<string, { config: object }> }; deploy?: boolean };
}

/** @param given what there is once the tests run: a release that serves graphs, with a Kafka for them */
export function graphStory(given: () => { cluster: OwnCluster; release: Release }): void {
  const kubectl = (...args: string[]): Promise<string> => given().cluster.kubectl(...args);

  async function exampleGraph(): Promise<Graph> {
    const example = parse(await readFile(join(folder, 'graph.yaml'), 'utf8')) as Graph;
    for (const component of Object.values(example.spec.graph.components)) {
      Object.assign(component.config, { image: given().cluster.image });
    }
    return { ...example, metadata: { ...example.metadata, namespace: 'default' } };
  }

  /** As the README has it: packed by helm, served by a pod. */
  async function serveCharts(): Promise<void> {
    const { cluster } = given();
    const packed = await temporaryFolder();
    for (const name of ['producer', 'consumer']) {
      await cluster.helm('package', join(folder, 'charts', name), '--destination', packed);
    }
    await cluster.helm('repo', 'index', packed);
    await kubectl('create', 'configmap', 'charts', `--from-file=${packed}`);
    await kubectl('apply', '--filename', join(folder, 'charts.yaml'));
    await kubectl('set', 'image', 'deployment/charts', `charts=${cluster.image}`);
    await kubectl('rollout', 'status', 'deployment/charts', '--timeout=180s');
  }

  /** With a limit for a hang, not for a slow machine: what takes its time is printed. */
  const ready = async (): Promise<void> => {
    const timeout = '240s';
    const { generation } = (await read<{ metadata: { generation: number } }>()).metadata;
    const observed = `--for=jsonpath={.status.observedGeneration}=${generation}`;
    await kubectl('wait', ...graph, observed, `--timeout=${timeout}`);
    await kubectl('wait', ...graph, '--for=condition=Ready', `--timeout=${timeout}`);
  };

  const read = async <T>(): Promise<T> =>
    JSON.parse(await kubectl('get', ...graph, '--output=json')) as T;

  async function answer(): Promise<Answer> {
    const query = ['service', 'consumer', `--namespace=${consumer}`];
    const address = await kubectl('get', ...query, '--output=jsonpath={.spec.clusterIP}');
    const signal = AbortSignal.timeout(5_000);
    return (await (await fetch(`http://${address}:8080/`, { signal })).json()) as Answer;
  }

  /** Once all three flows have brought a record after this one. */
  async function answeredAfter(number: number): Promise<Answer> {
    let told: Answer | undefined;
    const all = async (): Promise<boolean> => {
      told = await answer();
      return Object.values(told).every((flow) => (flow?.last.number ?? 0) > number);
    };
    await waitFor(all, { deadlineMs: 180_000, everyMs: 500 }).catch((cause: unknown) => {
      throw new Error(`no records after ${number}: ${JSON.stringify(told)}`, { cause });
    });
    return told!;
  }

  /** What would show that something was touched: revisions of releases, and which pods there are. */
  async function marks(namespace: string): Promise<{ releases: string[]; pods: string[] }> {
    const names = async (...query: string[]): Promise<string[]> =>
      (await kubectl('get', ...query, `--namespace=${namespace}`)).split(' ').filter(Boolean);
    const secrets = [
      'secrets',
      '--selector=owner=helm',
      '--output=jsonpath={.items[*].metadata.name}',
    ];
    const uids = [
      'pods',
      '--field-selector=status.phase=Running',
      '--output=jsonpath={.items[*].metadata.uid}',
    ];
    const [releases, pods] = await Promise.all([names(...secrets), names(...uids)]);
    return { releases: releases.toSorted(), pods: pods.toSorted() };
  }

  const everyMs = async (value: number): Promise<void> => {
    const spec = { graph: { components: { producer: { config: { everyMs: value } } } } };
    await kubectl('patch', ...graph, '--type=merge', `--patch=${JSON.stringify({ spec })}`);
  };

  let before: string[];
  let lastNumber = 0;

  test('a graph that breaks a rule is refused with its code, also in the older version', async () => {
    const { cluster } = given();
    before = await listObjects(cluster);
    const wrong = await exampleGraph();
    Object.assign(wrong.spec.graph.components['consumer']!, { needs: ['nobody'] });
    const refused = (): Promise<string> =>
      cluster.apply(wrong).then(
        () => 'accepted',
        (error: Error) => error.message,
      );
    // The operator tells the API server of their CA, once it leads.
    const known = async (): Promise<boolean> => !(await refused()).includes('unknown authority');
    await waitFor(known, { deadlineMs: 180_000, everyMs: 500, what: 'trusted webhooks' });
    expect(await refused()).toContain('NEEDS_UNKNOWN');
    const older = { ...wrong, apiVersion: 'rampart.petuum.com/v1beta1' };
    await expect(cluster.apply(older)).rejects.toThrow('NEEDS_UNKNOWN');
  }, 240_000);

  test('row 2: from kubectl apply to Ready; what is written is read over all three flows', async () => {
    await serveCharts();
    const started = performance.now();
    await given().cluster.apply(await exampleGraph());
    await ready();
    const seconds = (performance.now() - started) / 1_000;
    console.log(`example graph, kubectl apply to Ready: ${seconds.toFixed(1)} s`);
    await answeredAfter(2);
  }, 900_000);

  test('row 2: an edit touches only what it changes, and a revert by REST brings the old version back', async () => {
    const api = await given().release.trialApi();
    const app = '/api/v1/apps/default_relay';
    const versions = async (): Promise<{ version: string; deployed: boolean }[]> =>
      api.json('GET', `${app}/versions`);
    const [kept, changed] = [await marks(consumer), await marks(producer)];
    await everyMs(2_000);
    await ready();
    expect(await marks(consumer)).toEqual(kept);
    const edited = await marks(producer);
    expect(edited.releases.filter((name) => !changed.releases.includes(name))).toEqual([
      'sh.helm.release.v1.component.v2',
    ]);
    expect(edited.pods).not.toEqual(changed.pods);
    await waitFor(async () => (await versions()).length === 2, { what: 'a second version' });
    const body = { appId: 'default_relay', version: '1', deployed: true };
    await api.call('POST', '/api/v1/apps/redeployment/default_relay/1', body);
    await ready();
    expect((await read<Graph>()).spec.graph).toEqual((await exampleGraph()).spec.graph);
    expect(await marks(consumer)).toEqual(kept);
    expect(await versions()).toMatchObject([
      { version: '1', deployed: true },
      { version: '2', deployed: false },
    ]);
  }, 900_000);

  const deploy = async (value: boolean): Promise<void> => {
    const spec = { deploy: value };
    await kubectl('patch', ...graph, '--type=merge', `--patch=${JSON.stringify({ spec })}`);
  };

  test('row 2: undeploying keeps the data, and the next deployment finds it', async () => {
    lastNumber = (await answeredAfter(0)).volume!.last.number;
    await deploy(false);
    await kubectl('wait', ...graph, '--for=jsonpath={.status.phase}=Undeployed', '--timeout=240s');
    const namespaces = await kubectl('get', 'namespaces', '--output=name');
    expect(namespaces).not.toMatch(/relay-(producer|consumer)/);
    expect(namespaces).toContain('default-relay-rampart-flows-volume');
    await deploy(true);
    await ready();
    const told = await answeredAfter(lastNumber);
    for (const flow of Object.values(told)) expect(flow!.count).toBeGreaterThan(lastNumber);
  }, 900_000);

  test('row 2: deleting leaves nothing', async () => {
    const { cluster } = given();
    await kubectl('delete', ...graph, '--timeout=180s');
    await kubectl('delete', '--filename', join(folder, 'charts.yaml'), '--wait');
    await kubectl('delete', 'configmap', 'charts');
    const left = async (): Promise<string[]> =>
      (await listObjects(cluster)).filter((object) => !before.includes(object));
    await waitFor(async () => (await left()).length === 0, {
      deadlineMs: 60_000,
      everyMs: 1_000,
    }).catch(() => undefined);
    expect(await left()).toEqual([]);
  }, 900_000);
}
