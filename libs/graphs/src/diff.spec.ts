import fc from 'fast-check';
import { exampleGraph } from '../test/support/example.js';
import { diffOf, type PatchOperation } from './diff.js';
import { hashOf } from './hash.js';

/** RFC 6902 for the operations that a difference is told in. */
function applied(document: unknown, patch: PatchOperation[]): unknown {
  const root = { '': structuredClone(document) };
  for (const operation of patch) {
    const keys = operation.path
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop()!;
    const parent = keys.reduce<Record<string, unknown>>(
      (at, key) => at[key] as Record<string, unknown>,
      root,
    );
    if (operation.op === 'remove') delete parent[last];
    else
      Object.defineProperty(parent, last, {
        value: operation.value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return root[''];
}

describe('graph-apps.md 6.2, 19: the difference of two graphs', () => {
  test('components and flows added, removed and changed, with the paths', () => {
    const before = exampleGraph();
    const after = exampleGraph();
    Object.assign(after.components, { c: after.components['b'] });
    delete after.components['b'];
    after.components['a']!.config = { replicas: 2, 'a/b': 1 };
    Object.assign(after.flows['files']!.config!, { size: '2Gi' });
    const diff = diffOf(before, after, { ignoreUi: true });
    expect(diff.components).toEqual({
      added: ['c'],
      removed: ['b'],
      changed: [{ name: 'a', paths: ['/config/replicas', '/config/a~1b'] }],
    });
    expect(diff.flows).toEqual({
      added: [],
      removed: [],
      changed: [{ name: 'files', paths: ['/config/size'] }],
    });
    expect(applied(before, diff.patch)).toEqual(after);
  });

  test('$ui of components, edges and flows can be left out; elsewhere it is a key like any other', () => {
    const after = exampleGraph();
    after.components['a']!.$ui = 1;
    after.components['a']!.inputs['data']!.$ui = 1;
    after.flows['git']!.$ui = 1;
    expect(diffOf(exampleGraph(), after, { ignoreUi: true }).equal).toBe(true);
    const { equal, patch } = diffOf(exampleGraph(), after, { ignoreUi: false });
    expect([equal, patch.length]).toEqual([false, 3]);
    after.components['a']!.config = { $ui: 1 };
    expect(diffOf(exampleGraph(), after, { ignoreUi: true }).equal).toBe(false);
  });

  test('the patch turns the first into the second, and is empty for equal ones', () => {
    const value = fc.object({
      maxDepth: 3,
      key: fc.constantFrom('a', 'b/c', '~', '__proto__', '$ui'),
    });
    fc.assert(
      fc.property(value, value, (before, after) => {
        const [from, to] = [before, after].map((each) =>
          JSON.parse(JSON.stringify(each) ?? 'null'),
        );
        const { equal, patch } = diffOf(from, to, { ignoreUi: false });
        expect(hashOf(applied(from, patch))).toBe(hashOf(to));
        expect(equal).toBe(hashOf(from) === hashOf(to));
      }),
    );
  });
});
