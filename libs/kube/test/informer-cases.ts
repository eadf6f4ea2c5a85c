import { waitFor } from '@glacis/runtime';
import type { ApiServer } from '../src/index.js';
import { Stand, watching, widgetsOf } from './stand.js';
import { widgets, type Widget } from './widgets.js';

export function informerCases(given: () => Stand): void {
  describe('the informer, on the real API server', () => {
    let stand: Stand;
    let direct: ApiServer;
    let shaky: ApiServer;
    beforeAll(() => {
      stand = given();
      ({ direct, shaky } = stand);
    });

    it('is told by a bookmark how far others have come before a watch ends', async () => {
      const client = widgetsOf(direct);
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
      const client = widgetsOf(direct);
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
        () => stand.proxy.reset(),
        () => stand.proxy.cut(),
        () => stand.proxy.heal(),
        () => stand.proxy.delay(200),
        () => stand.proxy.delay(0),
        async () => {
          await stand.cluster.apiserver.kill();
          await stand.cluster.apiserver.start();
        },
        () => stand.proxy.cut(),
      ];
      for (const [round, fault] of faults.entries()) {
        await fault();
        await change(round);
      }
      const versions = (items: Iterable<Widget>): string[] =>
        [...items].map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted();
      const truth = versions((await client.list()).items);
      stand.proxy.heal();
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
}
