import { createLogger, Metrics } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { faultProxy, type FaultProxy } from '@glacis/testbed/cluster';
import { Informer, type InformerOptions } from '../src/index.js';
import { FakeApiServer } from './fake-api-server.js';
import { collection, connected, type Connected, type Widget } from './widgets.js';

const logger = createLogger({ name: 'test', level: 'silent' });

describe('informer over HTTP', () => {
  let fake: FakeApiServer;
  let proxy: FaultProxy;
  let kube: Connected;
  let informer: Informer<Widget>;
  let metrics: Metrics;

  const watching = (options: Partial<InformerOptions<Widget>> = {}) => {
    informer = new Informer({
      name: 'widgets',
      source: kube.client,
      watchSeconds: 1,
      backoff: { initialMs: 10, factor: 2, maxMs: 100, jitter: 0.5 },
      logger,
      metrics,
      ...options,
    });
    informer.start();
    return informer;
  };
  const put = (name: string, size: number) => fake.put(`${collection}/${name}`, { spec: { size } });
  const sizeOf = (name: string) => informer.store.get(`tee/${name}`)?.spec.size;
  const watches = () => fake.requests.filter(({ path }) => path.includes('watch=true'));
  const lists = () => fake.requests.filter(({ path }) => path.includes('limit='));

  beforeEach(async () => {
    metrics = new Metrics();
    fake = await new FakeApiServer().listen();
    proxy = await faultProxy({ port: fake.port });
    kube = await connected(fake, { port: proxy.port, timeoutMs: 1_000 });
  });

  afterEach(async () => {
    await informer.stop();
    kube.access.close();
    await proxy.close();
    await fake.close();
  });

  it('lists once, then goes on from the last event or bookmark', async () => {
    put('a', 1);
    watching();
    await informer.synced;
    put('b', 2);
    await waitFor(() => sizeOf('b') === 2);
    put('a', 3);
    fake.remove(`${collection}/b`);
    await waitFor(() => sizeOf('a') === 3 && sizeOf('b') === undefined);
    fake.put('/api/v1/namespaces/tee/secrets/other', {});
    await waitFor(() => watches().at(-1)!.path.includes('resourceVersion=105'));
    expect(lists()).toHaveLength(1);
    expect(watches()[0]!.path).toContain('allowWatchBookmarks=true&resourceVersion=101');
    expect(await metrics.text()).toContain('glacis_kube_objects{resource="widgets"} 1');
  });

  it('tells a late subscriber what is there, and survives one that throws', async () => {
    put('a', 1);
    await watching().synced;
    const seen: string[] = [];
    informer.subscribe(() => {
      throw new Error('not I');
    });
    const end = informer.subscribe(({ key }) => void seen.push(key));
    expect(seen).toEqual(['tee/a']);
    put('b', 1);
    await waitFor(() => seen.includes('tee/b'));
    end();
    put('c', 1);
    await waitFor(() => sizeOf('c') === 1);
    expect(seen).toEqual(['tee/a', 'tee/b']);
  });

  it('lists again when its version is too old', async () => {
    put('a', 1);
    await watching().synced;
    fake.fault = ({ path }) => (path.includes('watch') ? { status: 500 } : undefined);
    fake.dropConnections();
    put('b', 2);
    fake.remove(`${collection}/a`);
    fake.compact();
    fake.fault = () => undefined;
    await waitFor(() => sizeOf('b') === 2 && sizeOf('a') === undefined);
    expect(lists()).toHaveLength(2);
  });

  it('notices that a watch has fallen silent', async () => {
    put('a', 1);
    await watching().synced;
    fake.deaf = true;
    fake.dropConnections();
    put('a', 2);
    await waitFor(async () => (await metrics.text()).includes('end="failed"'));
    fake.deaf = false;
    await waitFor(() => sizeOf('a') === 2);
    expect(lists()).toHaveLength(1);
  });

  it('goes on after its network was cut', async () => {
    await watching().synced;
    proxy.cut();
    put('a', 1);
    await waitFor(async () => (await metrics.text()).includes('end="failed"'));
    expect(sizeOf('a')).toBeUndefined();
    proxy.heal();
    await waitFor(() => sizeOf('a') === 1);
    expect(lists()).toHaveLength(1);
  });

  it('is not stopped by a server that goes away for a while', async () => {
    await watching().synced;
    proxy.reset();
    fake.fault = () => 'reset';
    put('a', 1);
    const before = fake.requests.length;
    await waitFor(() => fake.requests.length > before + 3);
    fake.fault = () => undefined;
    await waitFor(() => sizeOf('a') === 1);
  });

  it('finds by the next list what no event told of', async () => {
    watching({ relistMs: 500 });
    await informer.synced;
    fake.deliver = () => undefined;
    put('a', 1);
    await waitFor(() => sizeOf('a') === 1);
  });

  it('takes a broken line for a broken watch', async () => {
    await watching().synced;
    await waitFor(() => watches().length === 1);
    fake.deliver = (_, send) => send('{"type":"ADDED","obj\n');
    put('a', 1);
    await waitFor(() => watches().length > 1);
    fake.deliver = (events, send) => events.forEach(send);
    await waitFor(() => sizeOf('a') === 1);
  });

  it('says why it is not ready', async () => {
    fake.fault = () => ({ status: 403, reason: 'widgets is forbidden' });
    watching();
    await waitFor(() => fake.requests.length > 2);
    expect(() => informer.check()).toThrow('not listed yet: widgets is forbidden');
    fake.fault = () => undefined;
    await informer.synced;
    expect(() => informer.check()).not.toThrow();
  });

  it('is ready while a quiet resource has nothing to tell, and not without contact', async () => {
    fake.deliver = () => undefined;
    await watching().synced;
    await waitFor(() => watches().length > 8, { deadlineMs: 15_000 });
    expect(() => informer.check()).not.toThrow();
    proxy.cut();
    const reason = await waitFor(
      () => {
        try {
          informer.check();
          return false;
        } catch (error) {
          return String(error);
        }
      },
      { deadlineMs: 15_000 },
    );
    expect(reason).toContain('no contact for 6 s');
  });
});
