import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, Metrics } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import {
  faultProxy,
  startKubernetes,
  type FaultProxy,
  type KubernetesCluster,
} from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import {
  addFinalizer,
  ApiServer,
  builtIns,
  byOwner,
  Controller,
  controllerKey,
  dropFinalizer,
  EventRecorder,
  Informer,
  LeaderElector,
  openAccess,
  ownedBy,
  refOf,
  ResourceClient,
  trigger,
  type Access,
  type KubeObject,
  type LeaderElectorOptions,
  type ResourceType,
} from '../src/index.js';
import { widgets, type Widget } from './widgets.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

const logger = createLogger({ name: 'test', level: 'silent' });
const backoff = { initialMs: 50, factor: 2, maxMs: 500, jitter: 0.5 };

let cluster: KubernetesCluster;
let proxy: FaultProxy;
let accesses: Access[] = [];
/** Direct, and over a network that can fail. */
let direct: ApiServer;
let shaky: ApiServer;

const reached = async (kubeconfig: string, timeoutMs = 5_000): Promise<ApiServer> => {
  const access = await openAccess({ kubeconfig });
  accesses.push(access);
  return new ApiServer(access, { timeoutMs, userAgent: 'glacis-kube-test' });
};

const overProxy = async (): Promise<string> => {
  const file = join(await temporaryFolder(), 'kubeconfig');
  const text = await readFile(cluster.admin.file, 'utf8');
  await writeFile(file, text.replaceAll(cluster.url, `https://127.0.0.1:${proxy.port}`));
  return file;
};

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.glacis.dev' },
  spec: {
    group: 'test.glacis.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: { size: { type: 'integer' }, colour: { type: 'string' } },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

const clientOf = (server: ApiServer): ResourceClient<Widget> => new ResourceClient(server, widgets);

const watching = <T extends KubeObject>(
  server: ApiServer,
  type: ResourceType<T>,
  watchSeconds = 3,
): Informer<T> => {
  const informer = new Informer<T>({
    name: type.plural,
    source: new ResourceClient(server, type),
    indexes: { owner: byOwner },
    watchSeconds,
    backoff,
    logger,
    metrics: new Metrics(),
  });
  informer.start();
  return informer;
};

beforeAll(async () => {
  cluster = await startKubernetes();
  proxy = await faultProxy({ port: Number(new URL(cluster.url).port) });
  direct = await reached(cluster.admin.file);
  shaky = await reached(await overProxy(), 2_000);
  await cluster.apply(crd);
  await cluster.kubectl('wait', '--for=condition=Established', 'crd/widgets.test.glacis.dev');
});

afterEach(async () => {
  proxy.heal();
  proxy.delay(0);
  const client = clientOf(direct);
  for (const widget of (await client.list()).items) {
    await client.patch(widget.metadata, { metadata: { finalizers: null } });
    await client.delete(widget.metadata).catch(() => undefined);
  }
});

afterAll(async () => {
  for (const access of accesses) access.close();
  await proxy?.close();
  await cluster?.stop();
});

describe('the client, on the real API server', () => {
  const ref = { namespace: 'default', name: 'a' };

  it('creates, applies, changes the status, deletes, and gives each refusal its code', async () => {
    const client = clientOf(direct);
    const made = await client.create({ metadata: ref, spec: { size: 1 } });
    const coded = (code: string) => expect.objectContaining({ code });
    await expect(client.create({ metadata: ref, spec: { size: 1 } })).rejects.toEqual(
      coded('alreadyExists'),
    );
    await expect(
      client.create({ metadata: { name: 'b' }, spec: { size: 'x' as unknown as number } }),
    ).rejects.toEqual(coded('invalid'));
    await client.apply(
      { metadata: ref, spec: { size: 2, colour: 'red' } },
      { fieldManager: 'one' },
    );
    await expect(
      client.apply({ metadata: ref, spec: { size: 3 } }, { fieldManager: 'two', force: false }),
    ).rejects.toEqual(coded('conflict'));
    const applied = await client.apply(
      { metadata: ref, spec: { size: 2 } },
      { fieldManager: 'one' },
    );
    expect(applied.spec).toEqual({ size: 2 });
    await expect(client.replace(made)).rejects.toEqual(coded('conflict'));
    const ready = await client.updateStatus(applied, {
      phase: 'Ready',
      parts: { done: 1, left: 2 },
    });
    const less = await client.updateStatus(ready, { phase: 'Ready', parts: { done: 2 } });
    expect(less.status).toEqual({ phase: 'Ready', parts: { done: 2 } });
    expect(await client.updateStatus(less, { ...less.status })).toBe(less);
    await expect(client.delete(ref, { uid: 'other' })).rejects.toEqual(coded('conflict'));
    await client.delete(ref, { uid: made.metadata.uid });
    await expect(client.get(ref)).rejects.toEqual(coded('notFound'));
    const nobody = clientOf(await reached((await cluster.user('nobody')).file));
    await expect(nobody.get(ref)).rejects.toEqual(coded('forbidden'));
  });

  it('lists in pages, with kind and version', async () => {
    const client = new ResourceClient(direct, builtIns.configMaps);
    const names = Array.from({ length: 520 }, (_, i) => `page-${i}`);
    for (let at = 0; at < names.length; at += 40) {
      const batch = names.slice(at, at + 40);
      await Promise.all(batch.map((name) => client.create({ metadata: { name } })));
    }
    const { items } = await client.list({ namespace: 'default' });
    expect(items.filter(({ metadata }) => metadata.name.startsWith('page-'))).toHaveLength(520);
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    for (let at = 0; at < names.length; at += 40) {
      await Promise.all(names.slice(at, at + 40).map((name) => client.delete({ name })));
    }
  });

  it('cannot watch from a version that is too old', async () => {
    const events = clientOf(direct).watch({
      resourceVersion: '1',
      seconds: 5,
      onData: () => undefined,
      signal: AbortSignal.timeout(20_000),
    });
    await expect(events.next()).rejects.toMatchObject({ code: 'gone' });
  });
});

describe('the informer, on the real API server', () => {
  it('is told by a bookmark how far others have come before a watch ends', async () => {
    const client = clientOf(direct);
    const { resourceVersion } = await client.list();
    const seen: { type: string; resourceVersion: string }[] = [];
    let ended = false;
    const watching = (async () => {
      for await (const { type, object } of client.watch({
        labelSelector: 'colour=red',
        resourceVersion,
        seconds: 5,
        onData: () => undefined,
        signal: AbortSignal.timeout(20_000),
      })) {
        seen.push({ type, resourceVersion: object.metadata.resourceVersion });
      }
      ended = true;
    })();
    let size = 0;
    const change = () =>
      client.apply(
        { metadata: { name: 'unlabelled' }, spec: { size: size++ } },
        { fieldManager: 't' },
      );
    await waitFor(async () => (await change()) && ended, { everyMs: 300 });
    await watching;
    expect(seen.length).toBeGreaterThan(0);
    for (const bookmark of seen) {
      expect(bookmark.type).toBe('BOOKMARK');
      expect(Number(bookmark.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
    }
  });

  it('holds what the server holds, after cuts, resets, delays and a server that went away', async () => {
    const client = clientOf(direct);
    const informer = watching(shaky, widgets);
    const known = new Map<string, string>();
    informer.subscribe(({ key, old, new: now }) => {
      expect(known.get(key)).toBe(old?.metadata.resourceVersion);
      if (now) known.set(key, now.metadata.resourceVersion);
      else known.delete(key);
    });
    await informer.synced;
    const change = async (round: number): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        const ref = { namespace: 'default', name: `w${i}` };
        if ((i + round) % 3 === 0) await client.delete(ref).catch(() => undefined);
        else await client.apply({ metadata: ref, spec: { size: round } }, { fieldManager: 't' });
      }
    };
    const faults: (() => Promise<void> | void)[] = [
      () => proxy.reset(),
      () => proxy.cut(),
      () => proxy.heal(),
      () => proxy.delay(200),
      () => proxy.delay(0),
      async () => {
        await cluster.apiserver.kill();
        await cluster.apiserver.start();
      },
      () => proxy.cut(),
    ];
    for (const [round, fault] of faults.entries()) {
      await fault();
      await change(round);
    }
    const versions = (items: Iterable<Widget>): string[] =>
      [...items].map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted();
    const truth = versions((await client.list()).items);
    proxy.heal();
    const healed = performance.now();
    await waitFor(() => versions(informer.store.values()).join() === truth.join(), {
      deadlineMs: 15_000,
      what: 'the copy to be what the server has',
    });
    console.info(
      `copy right again ${Math.round(performance.now() - healed)} ms after the last cut`,
    );
    expect([...known.values()].toSorted()).toEqual(
      [...informer.store.values()].map(({ metadata }) => metadata.resourceVersion).toSorted(),
    );
    await informer.stop();
  });
});

describe('controllers of two replicas, on the real API server', () => {
  const finalizer = 'test.glacis.dev/cleanup';
  const lease = { namespace: 'default', name: 'kube-test' };

  interface Replica {
    elector: LeaderElector;
    stop(): Promise<void>;
    /** Monotonic times of its terms. */
    terms: { from: number; to: number }[];
  }

  const replica = async (
    identity: string,
    server: ApiServer,
    times: Partial<LeaderElectorOptions>,
  ): Promise<Replica> => {
    const metrics = new Metrics();
    const informers = {
      widgets: watching(server, widgets),
      secrets: watching(server, builtIns.secrets),
    };
    const recorder = new EventRecorder({
      server,
      controller: 'glacis.dev/kube-test',
      instance: identity,
      logger,
      metrics,
    });
    recorder.start();
    const controller = new Controller({
      name: 'widgets',
      triggers: [trigger(informers.widgets), trigger(informers.secrets, controllerKey(widgets))],
      server,
      backoff,
      logger,
      metrics,
      reconcile: async (key, context) => {
        const client = clientOf(context.server);
        const secrets = new ResourceClient(context.server, builtIns.secrets);
        const widget = informers.widgets.store.get(key);
        if (!widget) return;
        if (widget.metadata.deletionTimestamp) {
          if (await secrets.find(refOf(key))) await secrets.delete(refOf(key));
          return dropFinalizer(client, widget, finalizer);
        }
        const held = await addFinalizer(client, widget, finalizer);
        await secrets.apply(
          {
            metadata: { ...refOf(key), ownerReferences: [ownedBy(widget)] },
            stringData: { size: String(widget.spec.size) },
          },
          { fieldManager: 'kube-test' },
        );
        recorder.record({
          about: held,
          type: 'Normal',
          reason: 'Kept',
          action: 'Keep',
          note: 'a secret is kept',
        });
        await client.updateStatus(held, { phase: 'Kept', parts: { done: widget.spec.size } });
      },
    });
    const terms: Replica['terms'] = [];
    const elector = new LeaderElector({
      server,
      lease,
      identity,
      logger,
      metrics,
      ...times,
      lead: async (term) => {
        const own = { from: performance.now(), to: Infinity };
        terms.push(own);
        await controller.run(term);
        own.to = performance.now();
      },
    });
    elector.start();
    const stop = async (): Promise<void> => {
      await elector.stop();
      await recorder.stop();
      await Promise.all(Object.values(informers).map((informer) => informer.stop()));
    };
    return { elector, stop, terms };
  };

  it('one reconciles at a time, and the other takes over', async () => {
    const times = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 400 };
    const client = clientOf(direct);
    const a = await replica('a', shaky, times);
    await waitFor(() => a.elector.isLeader, { deadlineMs: 20_000 });
    const b = await replica('b', direct, times);
    const kept = async (count: number, size: number): Promise<boolean> => {
      const { items } = await client.list();
      return items.filter(({ status }) => status?.parts?.done === size).length === count;
    };
    const put = (size: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          client.apply({ metadata: { name: `w${i}` }, spec: { size } }, { fieldManager: 't' }),
        ),
      );
    await put(1);
    await waitFor(() => kept(30, 1), { deadlineMs: 20_000 });
    proxy.cut();
    const cut = performance.now();
    await put(2);
    await waitFor(() => kept(30, 2), { deadlineMs: 20_000 });
    console.info(`taken over and done ${Math.round(performance.now() - cut)} ms after the cut`);
    proxy.heal();
    expect(a.terms[0]!.to).toBeLessThan(b.terms[0]!.from);
    await cluster.kubectl('delete', 'secret', 'w3', '-n', 'default');
    const secrets = new ResourceClient(direct, builtIns.secrets);
    await waitFor(() => secrets.find({ name: 'w3' }));
    const events = await waitFor(async () =>
      (await cluster.kubectl('events', '--for', 'widget/w3', '-n', 'default')).trim(),
    );
    expect(events).toMatch(/Kept .*a secret is kept/);

    await b.elector.stop();
    await waitFor(() => a.elector.isLeader, { deadlineMs: 20_000 });
    for (const { metadata } of (await client.list()).items) await client.delete(metadata);
    await waitFor(async () => (await client.list()).items.length === 0, { deadlineMs: 20_000 });
    await a.stop();
    await b.stop();
    const { spec } = await new ResourceClient(direct, builtIns.leases).get(lease);
    expect(spec?.holderIdentity).toBe('');
  });
});
