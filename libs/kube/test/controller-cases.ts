import { Metrics } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import {
  addFinalizer,
  builtIns,
  Controller,
  controllerKey,
  dropFinalizer,
  EventRecorder,
  LeaderElector,
  ownedBy,
  refOf,
  ResourceClient,
  trigger,
  type ApiServer,
  type LeaderElectorOptions,
} from '../src/index.js';
import { backoff, logger, Stand, watching, widgetsOf } from './stand.js';
import { widgets } from './widgets.js';

export function controllerCases(given: () => Stand): void {
  describe('controllers of two replicas, on the real API server', () => {
    let stand: Stand;
    let direct: ApiServer;
    let shaky: ApiServer;
    beforeAll(() => {
      stand = given();
      ({ direct, shaky } = stand);
    });

    const stops: (() => Promise<void>)[] = [];
    afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())));

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
          const client = widgetsOf(context.server);
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
      stops.push(stop);
      return { elector, stop, terms };
    };

    it('one reconciles at a time, and the other takes over', async () => {
      const times = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 400 };
      const client = widgetsOf(direct);
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
      stand.proxy.cut();
      const cut = performance.now();
      await put(2);
      await waitFor(() => kept(30, 2), { deadlineMs: 20_000 });
      console.info(`taken over and done ${Math.round(performance.now() - cut)} ms after the cut`);
      stand.proxy.heal();
      expect(a.terms[0]!.to).toBeLessThan(b.terms[0]!.from);
      await stand.cluster.kubectl('delete', 'secret', 'w3', '-n', 'default');
      const secrets = new ResourceClient(direct, builtIns.secrets);
      await waitFor(() => secrets.find({ name: 'w3' }));
      // Written beside the work, once a second.
      await waitFor(
        async () =>
          /Kept .*a secret is kept/.test(
            await stand.cluster.kubectl('events', '--for', 'widget/w3', '-n', 'default'),
          ),
        { deadlineMs: 20_000, everyMs: 250 },
      );

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
}
