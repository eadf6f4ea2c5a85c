import * as fc from 'fast-check';
import { V1BETA1, V1BETA2 } from '../resources.js';
import { convertGraph } from './graph-conversion.js';

const text = fc.string({ maxLength: 5 });
const annotations = fc.dictionary(
  fc.oneof(text, fc.constant('glacis.dev/deploy')),
  fc.oneof(text, fc.constantFrom('true', 'false')),
  { maxKeys: 3, noNullPrototype: true },
);
const spec = fc.record(
  { graph: fc.object({ maxDepth: 2 }), deploy: fc.oneof(fc.boolean(), fc.constant('no')) },
  { requiredKeys: ['graph'], noNullPrototype: true },
);
/** Also parts of graphs, as server-side apply sends them. */
const graphs = fc.record(
  {
    kind: fc.constant('RampartGraph'),
    metadata: fc.record(
      { name: text, annotations, labels: annotations },
      { requiredKeys: ['name'], noNullPrototype: true },
    ),
    spec,
    status: fc.object({ maxDepth: 1 }),
  },
  { requiredKeys: ['kind'], noNullPrototype: true },
);
type Graph = ReturnType<typeof graphs.generate>['value'] & { apiVersion: string };
const without = (graph: Graph) => {
  const { 'glacis.dev/deploy': _, ...others } = graph.metadata?.annotations ?? {};
  const { deploy: __, ...rest } = graph.spec ?? {};
  return {
    ...graph,
    apiVersion: '',
    spec: rest,
    metadata: { ...graph.metadata, annotations: others },
  };
};

describe('graph-apps.md 5.3: conversion', () => {
  test('a version unknown as source or target is none', () => {
    for (const [from, to] of [
      ['rampart.petuum.com/v1alpha1', V1BETA2],
      [V1BETA2, 'rampart.petuum.com/v9'],
      ['rampart.petuum.com/v9', 'rampart.petuum.com/v9'],
    ] as const) {
      expect(convertGraph({ apiVersion: from, spec: { graph: {} } }, to)).toBeUndefined();
    }
  });

  test('what is no object stays what it is', () => {
    for (const given of [null, 'text', 3, []]) {
      const graph = { apiVersion: V1BETA1, spec: given, metadata: given };
      expect(convertGraph(graph, V1BETA2)).toEqual({ ...graph, apiVersion: V1BETA2 });
      const alien = { apiVersion: V1BETA1, metadata: given, spec: { graph: given } };
      expect(convertGraph(alien, V1BETA2)?.spec).toEqual({ graph: given, deploy: true });
    }
  });

  test('only deploy and its annotation ever change, and only where there is a spec', () => {
    fc.assert(
      fc.property(graphs, fc.boolean(), (given, up) => {
        const [from, to] = up ? [V1BETA1, V1BETA2] : [V1BETA2, V1BETA1];
        const graph = { ...given, apiVersion: from };
        const converted = convertGraph(graph, to)!;
        expect(converted.apiVersion).toBe(to);
        expect(without(converted)).toEqual(without(graph));
        if (graph.spec === undefined) expect({ ...converted, apiVersion: from }).toEqual(graph);
        else if (up) expect(typeof converted.spec?.deploy).toBe('boolean');
        else expect(converted.spec).not.toHaveProperty('deploy');
      }),
    );
  });

  test('whether it is to be deployed survives the way through v1beta1', () => {
    fc.assert(
      fc.property(graphs, fc.option(fc.boolean(), { nil: undefined }), (given, deploy) => {
        const stored = { ...given, apiVersion: V1BETA2, spec: { graph: {}, deploy } };
        const old = convertGraph(stored, V1BETA1)!;
        expect(convertGraph(old, V1BETA2)?.spec.deploy).toBe(deploy ?? true);
        expect(convertGraph(convertGraph(old, V1BETA2)!, V1BETA1)).toEqual(old);
      }),
    );
  });

  test('an emptied list of annotations goes', () => {
    const metadata = { name: 'g', annotations: { 'glacis.dev/deploy': 'false' } };
    const old = { apiVersion: V1BETA1, metadata, spec: { graph: {} } };
    expect(convertGraph(old, V1BETA2)).toEqual({
      apiVersion: V1BETA2,
      metadata: { name: 'g' },
      spec: { graph: {}, deploy: false },
    });
  });
});
