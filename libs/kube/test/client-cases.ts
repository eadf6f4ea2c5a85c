import { builtIns, ResourceClient, type ApiServer } from '../src/index.js';
import { Stand, widgetsOf } from './stand.js';

export function clientCases(given: () => Stand): void {
  describe('the client, on the real API server', () => {
    let stand: Stand;
    let direct: ApiServer;
    beforeAll(() => {
      stand = given();
      ({ direct } = stand);
    });

    const ref = { namespace: 'default', name: 'a' };

    it('creates, applies, changes the status, deletes, and gives each refusal its code', async () => {
      const client = widgetsOf(direct);
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
      const nobody = widgetsOf(await stand.as((await stand.cluster.user('nobody')).file));
      await expect(nobody.get(ref)).rejects.toEqual(coded('forbidden'));
    });

    it('lets nothing of a write that was given up arrive later, over TLS', async () => {
      const { proxy, cluster } = stand;
      const client = widgetsOf(stand.shaky);
      const patches = async (): Promise<number> =>
        (await cluster.auditEvents()).filter(({ verb }) => verb === 'patch').length;
      const before = await patches();
      const made = await client.create({ metadata: ref, spec: { size: 1 } });
      proxy.cut();
      await expect(client.patch(ref, { spec: { size: 2 } })).rejects.toMatchObject({
        code: 'timeout',
      });
      proxy.heal();
      // The connections that were held are through before a new one.
      expect(await client.get(ref)).toEqual(made);
      expect(await patches()).toBe(before);
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
      const events = widgetsOf(direct).watch({
        resourceVersion: '1',
        seconds: 5,
        onData: () => undefined,
        signal: AbortSignal.timeout(20_000),
      });
      await expect(events.next()).rejects.toMatchObject({ code: 'gone' });
    });
  });
}
