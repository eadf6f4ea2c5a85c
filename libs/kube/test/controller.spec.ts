import { createLogger, Metrics, type Tracing } from '@glacis/observability';
import { ManualClock, waitFor } from '@glacis/runtime';
import {
  addFinalizer,
  builtIns,
  byOwner,
  Controller,
  controllerKey,
  dropFinalizer,
  EventRecorder,
  Informer,
  News,
  ownedBy,
  refOf,
  ResourceClient,
  trigger,
  type ControllerOptions,
  type Reconcile,
} from '../src/index.js';
import { FakeApiServer } from './fake-api-server.js';
import { collection, connected, widgets, type Connected, type Widget } from './widgets.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const secretsPath = '/api/v1/namespaces/tee/secrets';

let fake: FakeApiServer;
let kube: Connected;
let metrics: Metrics;
let informers: Informer<never>[];

const informing = <T extends Widget>(client: ResourceClient<T>, name: string): Informer<T> => {
  const informer = new Informer<T>({
    name,
    source: client,
    watchSeconds: 3,
    indexes: { owner: byOwner },
    backoff: { initialMs: 5, factor: 2, maxMs: 50, jitter: 0.5 },
    logger,
    metrics,
  });
  informers.push(informer as unknown as Informer<never>);
  informer.start();
  return informer;
};

const controller = (reconcile: Reconcile, options: Partial<ControllerOptions> = {}) =>
  new Controller({
    name: 'widgets',
    triggers: [trigger(informing(kube.client, 'widgets'))],
    reconcile,
    server: kube.server,
    backoff: { initialMs: 5, factor: 2, maxMs: 50, jitter: 0.2 },
    logger,
    metrics,
    ...options,
  });

/** A term that lasts until `end`. */
const term = () => {
  const ending = new AbortController();
  return { signal: ending.signal, holds: () => !ending.signal.aborted, end: () => ending.abort() };
};

beforeEach(async () => {
  informers = [];
  metrics = new Metrics();
  fake = await new FakeApiServer().listen();
  kube = await connected(fake, { timeoutMs: 2_000 });
});

afterEach(async () => {
  await Promise.all(informers.map((informer) => informer.stop()));
  kube.access.close();
  await fake.close();
});

describe('controller', () => {
  const finalizer = 'test.glacis.dev/cleanup';

  /** A secret per widget, a phase in its status, and an order of leaving: the secret first. */
  const keeper: (store: () => Informer<Widget>) => Reconcile =
    (informer) => async (key, context) => {
      const clients = {
        widgets: new ResourceClient(context.server, widgets),
        secrets: new ResourceClient(context.server, builtIns.secrets),
      };
      const widget = informer().store.get(key);
      if (!widget) return;
      if (widget.metadata.deletionTimestamp) {
        if (await clients.secrets.find(refOf(key))) await clients.secrets.delete(refOf(key));
        return dropFinalizer(clients.widgets, widget, finalizer);
      }
      const kept = await addFinalizer(clients.widgets, widget, finalizer);
      await clients.secrets.apply(
        {
          metadata: { ...refOf(key), ownerReferences: [ownedBy(widget)] },
          stringData: { size: String(widget.spec.size) },
        },
        { fieldManager: 'keeper' },
      );
      await clients.widgets.updateStatus(kept, { phase: 'Kept' });
    };

  it('brings about what objects ask for, mends what others break, and lets them go', async () => {
    const informer = informing(kube.client, 'widgets');
    const secrets = informing(
      new ResourceClient(kube.server, builtIns.secrets) as never,
      'secrets',
    );
    const leader = term();
    const running = controller(
      keeper(() => informer),
      {
        triggers: [trigger(informer), trigger(secrets, controllerKey(widgets))],
      },
    ).run(leader);
    for (let i = 0; i < 20; i++) fake.put(`${collection}/w${i}`, { spec: { size: i } });
    const kept = () =>
      fake.all(collection).filter(({ status }) => (status as Widget['status'])?.phase);
    await waitFor(() => kept().length === 20 && fake.all(secretsPath).length === 20);
    fake.remove(`${secretsPath}/w3`);
    await waitFor(() => fake.all(secretsPath).length === 20);
    for (const { metadata } of fake.all(collection)) await kube.client.delete(metadata);
    await waitFor(() => fake.all(collection).length === 0 && fake.all(secretsPath).length === 0);
    leader.end();
    await running;
    expect(await metrics.text()).toContain(
      'glacis_kube_reconciles_total{controller="widgets",result="done"}',
    );
  });

  it('writes nothing more once all is as it should be', async () => {
    const informer = informing(kube.client, 'widgets');
    let reconciles = 0;
    const reconcile = keeper(() => informer);
    const counting: Reconcile = async (key, context) => {
      reconciles += 1;
      await reconcile(key, context);
      return { requeueAfterMs: 10 };
    };
    const leader = term();
    const running = controller(counting, { triggers: [trigger(informer)] }).run(leader);
    fake.put(`${collection}/a`, { spec: { size: 1 } });
    await waitFor(() => informer.store.get('tee/a')?.status?.phase === 'Kept');
    const settled = reconciles + 2;
    await waitFor(() => reconciles > settled);
    const version = fake.all(collection)[0]!.metadata.resourceVersion;
    await waitFor(() => reconciles > settled + 5);
    expect(fake.all(collection)[0]!.metadata.resourceVersion).toBe(version);
    leader.end();
    await running;
  });

  it('tries again after a failure', async () => {
    let tries = 0;
    const leader = term();
    const running = controller(async () => {
      tries += 1;
      if (tries < 4) throw new Error('not yet');
    }).run(leader);
    fake.put(`${collection}/a`, { spec: { size: 1 } });
    await waitFor(() => tries === 4);
    leader.end();
    await running;
    expect(await metrics.text()).toContain(
      'glacis_kube_reconciles_total{controller="widgets",result="failed"} 3',
    );
  });

  it('starts with every object in each term, and leaves nothing under way after it', async () => {
    for (const name of ['a', 'b', 'c']) fake.put(`${collection}/${name}`, { spec: { size: 1 } });
    let underWay = 0;
    const seen: string[] = [];
    const own = controller(
      async (key, { signal, server }) => {
        seen.push(key);
        underWay += 1;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        const late = new ResourceClient(server, widgets).patch(refOf(key), { spec: { size: 9 } });
        await expect(late).rejects.toMatchObject({ code: 'fenced' });
        underWay -= 1;
      },
      { workers: 2 },
    );
    for (const round of [1, 2]) {
      const leader = term();
      const running = own.run(leader);
      await waitFor(() => underWay === 2);
      leader.end();
      await running;
      expect(underWay).toBe(0);
      expect(seen).toHaveLength(2 * round);
    }
    expect(new Set(fake.all(collection).map(({ spec }) => (spec as Widget['spec']).size))).toEqual(
      new Set([1]),
    );
  });

  it('goes on with the trace of who asked for it, in every call', async () => {
    const spans: { name: string; parent?: string; attributes: object; failed?: boolean }[] = [];
    const tracing: Pick<Tracing, 'start'> = {
      start: (name, parent, attributes) => {
        const span: (typeof spans)[number] = { name, parent, attributes };
        const id = spans.push(span).toString(16).padStart(16, '0');
        return {
          traceparent: `00-${'a'.repeat(32)}-${id}-01`,
          end: (error, more) => {
            span.attributes = { ...attributes, ...more };
            span.failed = error !== undefined;
          },
        };
      },
    };
    const cause = `00-${'a'.repeat(32)}-${'c'.repeat(16)}-01`;
    const leader = term();
    let seen = '';
    const running = controller(
      async (key, { server, traceparent }) => {
        seen ||= traceparent;
        await new ResourceClient(server, widgets).get(refOf(key));
        await new ResourceClient(server, builtIns.secrets).get(refOf(key));
      },
      { tracing, causeOf: (key) => (key === 'tee/a' ? cause : undefined) },
    ).run(leader);
    fake.put(`${collection}/a`, { spec: { size: 1 } });
    await waitFor(() => spans[2]?.failed && spans[0]?.failed);
    leader.end();
    await running;
    const get = (path: string, more: object) => ({
      name: 'kube GET',
      parent: seen,
      attributes: { 'http.request.method': 'GET', 'url.path': path, ...more },
    });
    expect(spans.slice(0, 3)).toEqual([
      {
        name: 'reconcile widgets',
        parent: cause,
        attributes: { key: 'tee/a', result: 'notFound' },
        failed: true,
      },
      { ...get(`${collection}/a`, {}), failed: false },
      { ...get(`${secretsPath}/a`, { 'error.type': 'notFound' }), failed: true },
    ]);
    const sent = fake.requests.find(({ path }) => path === `${secretsPath}/a`);
    expect(sent?.headers.traceparent).toMatch(/-0{15}3-01$/);
  });

  it('is told of keys by others than informers, while it runs', async () => {
    const news = new News();
    const seen: string[] = [];
    const own = controller(async (key) => void seen.push(key), { triggers: [news] });
    news.tell('too-early');
    const leader = term();
    const running = own.run(leader);
    await waitFor(() => {
      news.tell('told');
      return seen.includes('told');
    });
    leader.end();
    await running;
    news.tell('too-late');
    expect(new Set(seen)).toEqual(new Set(['told']));
  });

  it('ends a reconcile that takes too long', async () => {
    let ends = 0;
    const leader = term();
    const running = controller(
      async (_key, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        ends += 1;
        throw new Error('aborted');
      },
      { reconcileMs: 20 },
    ).run(leader);
    fake.put(`${collection}/a`, { spec: { size: 1 } });
    await waitFor(() => ends > 1);
    leader.end();
    await running;
  });
});

describe('event recorder', () => {
  const path = '/apis/events.k8s.io/v1/namespaces/tee/events';
  const clock = new ManualClock();
  let recorder: EventRecorder;
  let about: Widget;

  beforeEach(async () => {
    about = await kube.client.create({ metadata: { name: 'a' }, spec: { size: 1 } });
    recorder = new EventRecorder({
      server: kube.server,
      controller: 'glacis.dev/test',
      instance: 'pod-1',
      logger,
      metrics,
      clock,
    });
  });

  const say = (note: string) =>
    recorder.record({ about, type: 'Normal', reason: 'Grown', action: 'Grow', note });

  it('writes each thing once and counts the rest', async () => {
    for (let i = 0; i < 5; i++) say('it grew');
    say('it shrank');
    recorder.start();
    await waitFor(() => fake.all(path).length === 2);
    say('it grew');
    await recorder.stop();
    const [grew, shrank] = fake.all(path);
    expect(grew).toMatchObject({
      note: 'it grew',
      series: { count: 6, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
      regarding: { kind: 'Widget', name: 'a', namespace: 'tee', uid: about.metadata.uid },
      reportingController: 'glacis.dev/test',
    });
    expect(shrank).not.toHaveProperty('series');
  });

  it('begins a new event after ten minutes', async () => {
    say('it grew');
    recorder.start();
    await waitFor(() => fake.all(path).length === 1);
    clock.advance(10 * 60_000);
    say('it grew');
    await recorder.stop();
    expect(fake.all(path).map(({ series }) => series)).toEqual([undefined, undefined]);
  });

  it('drops what is too much of one object, and counts it', async () => {
    for (let i = 0; i < 40; i++) say(`it is ${i}`);
    await recorder.stop();
    expect(fake.all(path)).toHaveLength(25);
    expect(await metrics.text()).toContain('glacis_kube_events_total{result="dropped"} 15');
  });

  it('keeps what could not be written, and drops what is refused', async () => {
    fake.fault = ({ method }) => (method === 'POST' ? { status: 503 } : undefined);
    say('it grew');
    recorder.start();
    await waitFor(() => fake.requests.some(({ path: asked }) => asked === path));
    fake.fault = () => undefined;
    await waitFor(() => fake.all(path).length === 1);
    fake.fault = () => ({ status: 403 });
    say('refused');
    await recorder.stop();
    expect(await metrics.text()).toContain('glacis_kube_events_total{result="dropped"} 1');
  });
});
