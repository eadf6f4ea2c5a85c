import { createLogger, Metrics } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { faultProxy, type FaultProxy } from '@glacis/testbed/cluster';
import {
  builtIns,
  LeaderElector,
  ResourceClient,
  type LeaderElectorOptions,
  type Term,
} from '../src/index.js';
import { FakeApiServer } from './fake-api-server.js';
import { connected, type Connected } from './widgets.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const lease = { namespace: 'tee', name: 'operator' };
const path = '/apis/coordination.k8s.io/v1/namespaces/tee/leases';

interface Replica {
  elector: LeaderElector;
  proxy: FaultProxy;
  kube: Connected;
  metrics: Metrics;
  /** Monotonic times between which it worked. */
  terms: { from: number; to: number; epoch: number }[];
}

describe('leader elector', () => {
  let fake: FakeApiServer;
  let replicas: Replica[];

  const replica = async (
    identity: string,
    options: Partial<LeaderElectorOptions> = {},
  ): Promise<Replica> => {
    const proxy = await faultProxy({ port: fake.port });
    const kube = await connected(fake, { port: proxy.port });
    const metrics = new Metrics();
    const terms: Replica['terms'] = [];
    const elector = new LeaderElector({
      server: kube.server,
      lease,
      identity,
      leaseMs: 1_000,
      renewDeadlineMs: 700,
      retryMs: 100,
      lead: async (term: Term) => {
        const own = { from: performance.now(), to: Infinity, epoch: term.epoch };
        terms.push(own);
        await new Promise((resolve) => term.signal.addEventListener('abort', resolve));
        own.to = performance.now();
      },
      logger,
      metrics,
      ...options,
    });
    const made = { elector, proxy, kube, metrics, terms };
    replicas.push(made);
    elector.start();
    return made;
  };
  const holder = () => fake.all(path)[0]?.spec as { holderIdentity: string } | undefined;

  beforeEach(async () => {
    replicas = [];
    fake = await new FakeApiServer().listen();
  });

  afterEach(async () => {
    for (const { proxy } of replicas) proxy.heal();
    await Promise.all(replicas.map(({ elector }) => elector.stop()));
    for (const { kube } of replicas) kube.access.close();
    await Promise.all(replicas.map(({ proxy }) => proxy.close()));
    await fake.close();
  });

  it('makes one the leader, and another as soon as it has stopped', async () => {
    const a = await replica('a');
    await waitFor(() => a.elector.isLeader);
    const b = await replica('b');
    const renewed = fake.all(path)[0]!.metadata.resourceVersion;
    await waitFor(() => fake.all(path)[0]!.metadata.resourceVersion !== renewed);
    expect(b.elector.isLeader).toBe(false);
    expect(await a.metrics.text()).toContain('glacis_kube_leader{lease="operator"} 1');
    await a.elector.stop();
    expect(a.terms[0]!.to).toBeLessThan(Infinity);
    await waitFor(() => b.elector.isLeader);
    expect(b.terms[0]!.epoch).toBeGreaterThan(a.terms[0]!.epoch);
    await b.elector.stop();
    expect(holder()?.holderIdentity).toBe('');
  });

  it('stops a leader that is cut off before another begins, and lets it be a candidate again', async () => {
    const a = await replica('a');
    await waitFor(() => a.elector.isLeader);
    const b = await replica('b');
    a.proxy.cut();
    await waitFor(() => b.elector.isLeader);
    expect(a.terms[0]!.to).toBeLessThan(b.terms[0]!.from);
    a.proxy.heal();
    b.proxy.cut();
    await waitFor(() => a.elector.isLeader);
    expect(b.terms[0]!.to).toBeLessThan(a.terms[1]!.from);
    expect(await a.metrics.text()).toContain('glacis_kube_leader_terms_total{lease="operator"} 2');
  });

  it('never has two at work while the server fails, answers late and drops connections', async () => {
    const all = [await replica('a'), await replica('b'), await replica('c')];
    let dice = 7;
    const random = (): number => (dice = (dice * 16_807) % 2_147_483_647) / 2_147_483_647;
    fake.fault = ({ method }) => {
      if (random() < 0.15) return { status: 500 };
      if (random() < 0.1) return 'reset';
      return method !== 'GET' && random() < 0.1 ? 'hang' : undefined;
    };
    for (let round = 0; round < 5; round++) {
      const leader = await waitFor(() => all.find(({ elector }) => elector.isLeader));
      leader.proxy.cut();
      await waitFor(() => !leader.elector.isLeader);
      leader.proxy.heal();
    }
    fake.fault = () => undefined;
    await waitFor(() => all.some(({ elector }) => elector.isLeader));
    const terms = all.flatMap(({ terms: own }) => own).toSorted((x, y) => x.from - y.from);
    terms.reduce((earlier, later) => {
      expect(earlier.to).toBeLessThan(later.from);
      return later;
    });
  });

  it('ends a term when somebody else is written into the lease', async () => {
    const a = await replica('a');
    await waitFor(() => a.elector.isLeader);
    const client = new ResourceClient(a.kube.server, builtIns.leases);
    await client.patch(lease, { spec: { holderIdentity: 'kubectl' } });
    await waitFor(() => a.terms[0]!.to < Infinity);
    await waitFor(() => a.elector.isLeader);
    expect(a.terms[1]!.epoch).toBe(a.terms[0]!.epoch + 1);
  });

  it('goes on when somebody else has only touched the lease', async () => {
    const a = await replica('a');
    await waitFor(() => a.elector.isLeader);
    const client = new ResourceClient(a.kube.server, builtIns.leases);
    await client.patch(lease, { metadata: { labels: { seen: 'yes' } } });
    const touched = fake.all(path)[0]!.metadata.resourceVersion;
    await waitFor(() => Number(fake.all(path)[0]!.metadata.resourceVersion) > Number(touched) + 2);
    expect(a.terms).toHaveLength(1);
  });

  it('gives up a term whose work ends by itself', async () => {
    let begun = 0;
    await replica('a', {
      lead: async () => {
        begun += 1;
        throw new Error('it broke');
      },
    });
    await waitFor(() => begun > 1);
  });

  it('refuses times that could not be kept', async () => {
    const { kube } = await replica('a');
    const make = (leaseMs: number, renewDeadlineMs: number) =>
      new LeaderElector({
        server: kube.server,
        lease,
        identity: 'x',
        lead: async () => undefined,
        leaseMs,
        renewDeadlineMs,
        logger,
        metrics: new Metrics(),
      });
    expect(() => make(1_500, 1_000)).toThrow(RangeError);
    expect(() => make(10_000, 10_000)).toThrow(RangeError);
  });
});
