import type { Draft } from '@glacis/kube';
import { Applied } from './applied.js';
import { contains } from './contains.js';
import type { StatefulSet } from './manifests.js';

const manifest = (image: string): Draft<StatefulSet> => ({
  metadata: { name: 'host3', namespace: 'tee' },
  spec: {
    serviceName: 'host3',
    selector: {},
    template: {
      spec: { containers: [{ name: 'manager', image, env: [{ name: 'A', value: '' }] }] },
    },
  },
});

/** An API server that keeps what it is given, with a default of its own, and drops what is empty. */
class Kept {
  readonly type = { plural: 'statefulsets' };
  applied = 0;
  object: StatefulSet | undefined;

  async apply(sent: Draft<StatefulSet>): Promise<StatefulSet> {
    this.applied += 1;
    const spec = structuredClone(sent.spec);
    const [container] = spec?.template.spec?.containers ?? [];
    if (container) Object.assign(container, { imagePullPolicy: 'Always', env: [{ name: 'A' }] });
    const generation = this.applied;
    const metadata = { ...sent.metadata, uid: 'u', resourceVersion: `${generation}`, generation };
    this.object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec };
    return this.object;
  }

  /** Somebody has changed it. */
  change(image: string): void {
    const changed = structuredClone(this.object) as StatefulSet;
    const [container] = changed.spec?.template.spec?.containers ?? [];
    if (container) container.image = image;
    changed.metadata.generation = 99;
    this.object = changed;
  }
}

describe('what has been applied', () => {
  it('is not applied again, not even after a restart', async () => {
    const [kept, before] = [new Kept(), new Applied()];
    await before.ensure(kept, manifest('a'), undefined);
    await before.ensure(kept, manifest('a'), kept.object);
    const after = new Applied();
    await after.ensure(kept, manifest('a'), kept.object);
    expect(kept.applied).toBe(1);
    await after.ensure(kept, manifest('b'), kept.object);
    expect(kept.applied).toBe(2);
  });

  it('is put right when somebody has changed it, also while nobody looked', async () => {
    const [kept, before] = [new Kept(), new Applied()];
    await before.ensure(kept, manifest('a'), undefined);
    kept.change('evil');
    await before.ensure(kept, manifest('a'), kept.object);
    expect(kept.applied).toBe(2);
    kept.change('evil');
    await new Applied().ensure(kept, manifest('a'), kept.object);
    expect(kept.applied).toBe(3);
  });
});

test.each([
  [{ a: 1, b: 2 }, { a: '1' }, true],
  [{ a: [1, { b: 2, c: 3 }] }, { a: [1, { b: 2 }] }, true],
  [{ a: [1, 2] }, { a: [1] }, false],
  [{}, { a: '' }, true],
  [{}, { a: {} }, false],
  [{ a: 'x' }, { a: 'y' }, false],
  [{ a: false }, { a: false }, true],
])('%j contains %j: %s', (object, part, yes) => {
  expect(contains(object, part)).toBe(yes);
});
