import type { Widget } from '../../test/widgets.js';
import { byLabel, byOwner, Store } from './store.js';

const widget = (name: string, version: string, more: object = {}): Widget => ({
  apiVersion: 'v1',
  kind: 'Widget',
  metadata: { namespace: 'tee', name, uid: `uid-${name}`, resourceVersion: version, ...more },
  spec: { size: 1 },
});

const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'O', name: uid, uid });

describe('store', () => {
  const indexes = { owner: byOwner, app: byLabel('app'), size: (w: Widget) => [`${w.spec.size}`] };

  it('finds by owner, label and any function, also after changes', () => {
    const store = new Store<Widget>(indexes);
    store.replace([
      widget('a', '1', { ownerReferences: [owner('o1'), owner('o2')], labels: { app: 'x' } }),
      widget('b', '2', { labels: { app: 'x' } }),
    ]);
    expect(store.by('app', 'x').map((w) => w.metadata.name)).toEqual(['a', 'b']);
    expect(store.by('owner', 'o2').map((w) => w.metadata.name)).toEqual(['a']);
    expect(store.by('size', '1')).toHaveLength(2);
    store.put(widget('a', '3', { labels: { app: 'y' } }));
    expect(store.by('app', 'x').map((w) => w.metadata.name)).toEqual(['b']);
    expect(store.by('owner', 'o1')).toEqual([]);
    store.remove('tee/b');
    expect(store.by('app', 'x')).toEqual([]);
    expect(() => store.by('colour', 'x')).toThrow(new RangeError('no index colour'));
  });

  it('tells of an object that was made anew as of two', () => {
    const store = new Store<Widget>();
    store.put(widget('a', '1'));
    const changes = store.put(widget('a', '2', { uid: 'another' }));
    expect(changes.map(({ old, new: now }) => [old?.metadata.uid, now?.metadata.uid])).toEqual([
      ['uid-a', undefined],
      [undefined, 'another'],
    ]);
  });

  it('holds what nobody can change', () => {
    const store = new Store<Widget>();
    store.put(widget('a', '1'));
    expect(() => {
      store.get('tee/a')!.spec.size = 2;
    }).toThrow(TypeError);
  });
});
