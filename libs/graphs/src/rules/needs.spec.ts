import fc from 'fast-check';
import { exampleCluster, NAME } from '../../test/support/example.js';
import type { Component } from '../graph.js';
import { needsCycle } from './needs.js';

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'constructor');
const needsOf = fc.dictionary(name, fc.array(name, { maxLength: 3 }));

/** Whether one can come back to where one began, over at least one other component. */
function returns(needs: Record<string, string[]>, start: string): boolean {
  const seen = new Set<string>();
  const open = [start];
  for (const at of open) {
    const next = Object.hasOwn(needs, at) ? needs[at]! : [];
    for (const need of next.filter((each) => each !== at)) {
      if (need === start) return true;
      if (!seen.has(need)) open.push(need);
      seen.add(need);
    }
  }
  return false;
}

test('graph-apps.md 3.2, NEEDS_CYCLE: found where there is one, and what is told is one', () => {
  fc.assert(
    fc.property(needsOf, (needs) => {
      const components = Object.fromEntries(
        Object.entries(needs).map(([each, its]) => [each, { needs: its } as Component]),
      );
      const graph = { components, flows: {} };
      const facts = {
        name: NAME,
        nameless: false,
        graph,
        cluster: exampleCluster(),
        inOperator: false,
      };
      const findings = [...needsCycle(facts)];
      expect(findings.length > 0).toBe(Object.keys(needs).some((each) => returns(needs, each)));
      for (const { message } of findings) {
        const cycle = message.replace(/^.*: /, '').split(' -> ');
        expect(cycle.length).toBeGreaterThan(2);
        expect(cycle.at(0)).toBe(cycle.at(-1));
        for (const [index, each] of cycle.slice(0, -1).entries()) {
          expect(needs[each]).toContain(cycle[index + 1]);
        }
      }
    }),
  );
});
