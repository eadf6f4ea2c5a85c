import fc from 'fast-check';
import { compareText } from './text.js';
import { ClusterIndex } from './cluster-index.js';
import { admit } from './rules/admit.js';

const name = fc.constantFrom('a', 'b', 'a-b', 'b-a');
const graph = fc.record({ namespace: name, name });
const component = fc.oneof(
  fc.record({ namespace: name }),
  fc.constantFrom<unknown>({}, null, 1, { namespace: 1 }),
);
const flow = fc.constantFrom<unknown>(
  { type: 'volume' },
  { type: 'repository' },
  { type: 'kafka' },
  null,
);
const spec = fc.oneof(
  fc.record({
    graph: fc.record({
      components: fc.dictionary(name, component),
      flows: fc.dictionary(name, flow),
    }),
  }),
  fc.constantFrom<unknown>({}, null, { graph: [] }, { graph: { components: 'x', flows: null } }),
);
const step = fc.record({ graph, spec, provides: fc.array(name), isDeleted: fc.boolean() });

const told = (index: ClusterIndex): unknown => {
  const sorted = (items: Iterable<unknown>): string[] =>
    [...items].map((item) => JSON.stringify(item)).toSorted(compareText);
  const names = ['a', 'b', 'a-b', 'b-a'].flatMap((one) =>
    ['a', 'b'].flatMap((two) => [
      one,
      `${one}-${two}`,
      `${one}-${two}-a`,
      `${one}-${two}-rampart-flows-volume`,
    ]),
  );
  return names.map((each) => [
    sorted(index.claimantsOf(each)),
    sorted(index.claimUsers(each)),
    sorted(index.providersOf(each)),
  ]);
};

test('graph-apps.md 3.2: an index that was kept step by step answers like one made of what is left', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const kept = new ClusterIndex({ kafkaConfigured: false });
      const left = new Map<string, (typeof steps)[number]>();
      for (const each of steps) {
        const id = `${each.graph.namespace}_${each.graph.name}`;
        if (each.isDeleted) {
          kept.deleteGraph(each.graph);
          kept.deleteInfra(each.graph);
          left.delete(id);
        } else {
          kept.setGraph(each.graph, each.spec);
          kept.setInfra({ graph: each.graph, createdAt: '' }, each.provides);
          left.set(id, each);
        }
      }
      const made = new ClusterIndex({ kafkaConfigured: false });
      for (const each of left.values()) {
        made.setGraph(each.graph, each.spec);
        made.setInfra({ graph: each.graph, createdAt: '' }, each.provides);
      }
      expect(told(kept)).toEqual(told(made));
    }),
  );
});

test('graph-apps.md 3.2, CLAIM_TAKEN: of two graphs that took a claim at once the older keeps it', () => {
  const volume = (name: string) => ({
    graph: { components: {}, flows: { [name]: { type: 'volume', config: { size: '1Gi' } } } },
  });
  // Both claims are `a-b-c-d`.
  const one = { namespace: 'a', name: 'b-c', spec: volume('d') };
  const other = { namespace: 'a', name: 'b', spec: volume('c-d') };
  const codes = (times: [string, string], of: typeof one): string[] => {
    const index = new ClusterIndex({ kafkaConfigured: false });
    index.ready = true;
    index.setGraph(one, one.spec, times[0]);
    index.setGraph(other, other.spec, times[1]);
    return admit(of, index, () => 'id').errors.map(({ code }) => code);
  };
  const [early, late] = ['2026-11-22T08:00:00Z', '2026-11-22T08:00:01Z'] as const;
  expect(codes([early, late], one)).toEqual([]);
  expect(codes([early, late], other)).toEqual(['CLAIM_TAKEN']);
  expect(codes([late, early], one)).toEqual(['CLAIM_TAKEN']);
  expect(codes([early, early], other)).toEqual([]);
  expect(codes([early, early], one)).toEqual(['CLAIM_TAKEN']);
});
