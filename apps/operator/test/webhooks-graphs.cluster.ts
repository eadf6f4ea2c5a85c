// Graphs and pods of graphs at the real API server, with the webhooks in a process that may do what the committed rules say.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import { podCases } from './pod-webhooks.js';
import { WebhookProcess } from './webhook-process.js';
import { definition, k8s, registrations, webhookUser } from './webhook-registrations.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let cluster: KubernetesCluster;
let webhooks: WebhookProcess;
let folder: string;

interface Shown {
  apiVersion: string;
  metadata: { annotations?: Record<string, string>; labels?: Record<string, string> };
  spec: { deploy?: unknown; graph: unknown };
  status?: unknown;
}

const component = {
  chart: { repo: 'https://charts.example.com', name: 'c', version: '1.0.0' },
  config: {},
  inputs: {},
  outputs: {},
};
const graphOf = (components: object, flows: object = {}): object => ({ components, flows });
const good = graphOf({ a: component });
const bad = graphOf({ a: { ...component, needs: ['zzz'] } });
const rampartGraph = (
  name: string,
  spec: object,
  { version = 'v1beta2', annotations = {} }: { version?: string; annotations?: object } = {},
): object => ({
  apiVersion: `rampart.petuum.com/${version}`,
  kind: 'RampartGraph',
  metadata: { name, namespace: 'default', annotations },
  spec,
});

/** What `kubectl apply` says to it: what it prints, or why not. */
const said = (object: object, ...options: string[]): Promise<string> =>
  answerTo('apply', object, options);

/** To one that is new. Unlike `apply` it sends nulls as well. */
const saidToNew = (object: object): Promise<string> =>
  answerTo('create', object, ['--validate=false', '--dry-run=server']);

async function answerTo(verb: string, object: object, options: string[]): Promise<string> {
  const file = join(folder, 'object.json');
  await writeFile(file, JSON.stringify(object));
  return cluster.kubectl(verb, ...options, '-f', file).catch((error: Error) => error.message);
}

async function read<T = Shown>(kind: string, name: string, namespace = 'default'): Promise<T> {
  return JSON.parse(await cluster.kubectl('get', kind, name, '-n', namespace, '-o', 'json')) as T;
}
const readV1beta1 = (name: string): Promise<Shown> =>
  read('rampartgraphs.v1beta1.rampart.petuum.com', name);

beforeAll(async () => {
  folder = await temporaryFolder();
  cluster = await startKubernetes();
  await cluster.kubectl('apply', '-f', join(k8s, 'crds'));
  await cluster.kubectl('wait', '--for=condition=Established', 'crd', '--all');
  webhooks = await WebhookProcess.start(await webhookUser(cluster));
  await cluster.apply(definition(webhooks));
  // Stored before there was anybody who knows the rules.
  expect(await said(rampartGraph('old', { graph: bad }))).toContain('created');
  await cluster.apply(...registrations(webhooks));
  const refuses = async (): Promise<boolean> =>
    (await said(rampartGraph('probe', { graph: bad }), '--dry-run=server')).includes('denied');
  await waitFor(refuses, { deadlineMs: 60_000, everyMs: 200, what: 'the webhooks to be called' });
});
afterAll(async () => {
  await webhooks?.stop();
  await cluster?.stop();
});

describe('graph-apps.md 2.1: the resource', () => {
  it('is known by its names, in two versions, and shows its columns', async () => {
    expect(await said(rampartGraph('shown', { graph: good }))).toContain('created');
    const header = (await cluster.kubectl('get', 'rg', 'shown')).split('\n')[0];
    expect(header?.split(/\s+/)).toEqual(['NAME', 'PHASE', 'READY', 'VERSION', 'REASON', 'AGE']);
    await cluster.kubectl('get', 'apiservice', 'v1beta1.rampart.petuum.com');
  });

  it('has no status but by its subresource', async () => {
    const object = { ...rampartGraph('status', { graph: good }), status: { phase: 'Deployed' } };
    await said(object);
    expect(await read('rg', 'status')).not.toHaveProperty('status');
    const patch = JSON.stringify({ status: { phase: 'Deployed', lastModified: 'x' } });
    const merge = ['--subresource=status', '--type=merge', '-p', patch];
    await cluster.kubectl('patch', 'rg', 'status', ...merge);
    expect(await read('rg', 'status')).toMatchObject(JSON.parse(patch) as object);
  });

  it.each([
    ['no flows', { graph: { components: {} } }, 'spec.graph.flows: Required value'],
    ['components that are a list', { graph: graphOf([]) }, 'spec.graph.components'],
    ['deploy as text', { graph: good, deploy: 'no' }, 'spec.deploy'],
  ])('%s: refused by the API server itself', async (_, spec, text) => {
    const answer = await saidToNew(rampartGraph('odd', spec));
    expect(answer).toContain(text);
    expect(answer).toContain('is invalid');
  });
});

describe('graph-apps.md 5.2: what kubectl says to a wrong graph', () => {
  it.each([
    ['a need that is none', { graph: bad }, 'NEEDS_UNKNOWN /graph/components/a/needs/0: zzz'],
    ['deploy null', { graph: good, deploy: null }, 'SCHEMA /deploy'],
    ['a key of its own', { graph: good, size: 3 }, 'SCHEMA /size'],
    [
      'a config that is null',
      { graph: graphOf({ a: { ...component, config: null } }) },
      'SCHEMA /graph/components/a/config',
    ],
    [
      'a namespace that is there',
      { graph: graphOf({ a: { ...component, namespace: 'kube-system' } }) },
      'NAMESPACE_EXISTS /graph/components/a/namespace',
    ],
    [
      'pulsar where there is none',
      { graph: graphOf({}, { p: { type: 'pulsar' } }) },
      'PULSAR_ABSENT /graph/flows/p',
    ],
  ])('%s', async (_, spec, text) => {
    for (const version of ['v1beta2', 'v1beta1']) {
      if (version === 'v1beta1' && 'deploy' in spec) continue;
      const answer = await saidToNew(rampartGraph('wrong', spec, { version }));
      expect(answer).toContain('denied the request');
      expect(answer).toContain(text);
    }
  });

  it('pulsar is there as soon as some graph provides it', async () => {
    await cluster.apply({
      apiVersion: 'rampart.petuum.com/v1beta1',
      kind: 'RampartInfra',
      metadata: { name: 'infra', namespace: 'kube-system' },
      spec: { provides: [{ name: 'pulsar' }] },
    });
    const source = { namespace: 'kube-system', name: 'infra' };
    const provides = [{ name: 'pulsar', status: 'registered', source }];
    const patch = JSON.stringify({ status: { provides } });
    const merge = ['-n', 'kube-system', '--subresource=status', '--type=merge', '-p', patch];
    await cluster.kubectl('patch', 'rampartinfra', 'infra', ...merge);
    const object = rampartGraph('pulsar', { graph: graphOf({}, { p: { type: 'pulsar' } }) });
    const taken = async (): Promise<boolean> => (await said(object)).includes('created');
    await waitFor(taken, { deadlineMs: 30_000, everyMs: 200, what: 'the infra to be known' });
  });

  it('a graph from before the rules can be labelled, finalised, undeployed, and not edited', async () => {
    await cluster.kubectl('label', 'rg', 'old', 'a=b');
    const patch = async (change: object): Promise<string> =>
      cluster
        .kubectl('patch', 'rg', 'old', '--type=merge', '-p', JSON.stringify(change))
        .catch((error: Error) => error.message);
    const finalizers = ['rampart.petuum.com/graph'];
    expect(await patch({ metadata: { finalizers } })).toContain('patched');
    expect(await patch({ spec: { deploy: false } })).toContain('patched');
    expect(await patch({ spec: { deploy: true } })).toContain('NEEDS_UNKNOWN');
    expect(await patch({ spec: { graph: { components: { b: component } } } })).toContain(
      'NEEDS_UNKNOWN',
    );
    await cluster.kubectl('delete', 'rg', 'old', '--wait=false');
    expect(await patch({ metadata: { finalizers: null } })).toContain('patched');
  });
});

describe('graph-apps.md 5.3: two versions', () => {
  it('what is written in the older one is to be deployed, and read as such', async () => {
    expect(await said(rampartGraph('older', { graph: good }, { version: 'v1beta1' }))).toContain(
      'created',
    );
    expect((await read('rg', 'older')).spec).toEqual({ graph: good, deploy: true });
    expect((await readV1beta1('older')).spec).toEqual({ graph: good });
  });

  it('an undeployed graph stays so when it is written back in the older version', async () => {
    await said(rampartGraph('stopped', { graph: good, deploy: false }));
    const older = await readV1beta1('stopped');
    expect(older.spec).toEqual({ graph: good });
    expect(older.metadata.annotations?.['glacis.dev/deploy']).toBe('false');
    const file = join(folder, 'older.json');
    await writeFile(file, JSON.stringify({ ...older, status: undefined }));
    await cluster.kubectl('replace', '-f', file);
    const { spec, metadata } = await read('rg', 'stopped');
    expect(spec.deploy).toBe(false);
    expect(metadata.annotations ?? {}).not.toHaveProperty('glacis.dev/deploy');
  });

  it('the annotation alone flips it, by way of the older version', async () => {
    const older = 'rampartgraphs.v1beta1.rampart.petuum.com/older';
    await cluster.kubectl('annotate', older, 'glacis.dev/deploy=false');
    expect((await read('rg', 'older')).spec.deploy).toBe(false);
  });

  it('server-side apply in both, by two owners', async () => {
    const flags = ['--server-side', '--field-manager'];
    const first = rampartGraph('applied', { graph: good, deploy: false });
    expect(await said(first, ...flags, 'one')).toContain('serverside-applied');
    const { apiVersion: _, ...labelled } = rampartGraph('applied', {}) as Record<string, object>;
    const label = { ...labelled['metadata'], annotations: undefined, labels: { by: 'two' } };
    const second = { kind: 'RampartGraph', metadata: label };
    for (const version of ['v1beta1', 'v1beta2']) {
      const object = { apiVersion: `rampart.petuum.com/${version}`, ...second };
      expect(await said(object, ...flags, 'two')).toContain('serverside-applied');
    }
    const { spec, metadata } = await read('rg', 'applied');
    expect(spec).toEqual({ graph: good, deploy: false });
    expect(metadata.labels).toEqual({ by: 'two' });
  });
});

podCases({ cluster: () => cluster, said, read });

it('graph-apps.md 4.1, 4.12: tells of its health, of reviews, and of denials by rule', async () => {
  expect(await webhooks.page('/healthz')).toMatchObject({ status: 200 });
  expect(await webhooks.page('/readyz')).toMatchObject({ status: 200 });
  const { text } = await webhooks.page('/metrics');
  expect(text).toMatch(/glacis_operator_graph_denials_total\{code="NEEDS_UNKNOWN"\} [1-9]/);
  expect(text).toMatch(
    /glacis_kube_webhook_requests_total\{hook="\/conversion",result="converted"\}/,
  );
});
