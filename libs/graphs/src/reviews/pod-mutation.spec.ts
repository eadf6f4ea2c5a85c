import * as fc from 'fast-check';
import type { JsonObject } from '../graph.js';
import { claimsOf, mutatePod, type PodFacts } from './pod-mutation.js';

const noGpus: PodFacts = { gpuNodes: false };
const gpus: PodFacts = { gpuNodes: true };
const containerOf = (container: object, template: JsonObject, facts = noGpus): unknown => {
  const pod = { spec: { containers: [{ name: 'c', ...container }] } };
  const { spec } = mutatePod(pod, { containerTemplate: template }, facts);
  const [{ name: _, ...changed } = { name: '' }] = spec.containers;
  return changed;
};

describe('graph-apps.md 5.4: the table of the merge', () => {
  const a = { name: 'a', value: '1' };
  const b = { name: 'b', value: '2' };

  test.each<[string, object, JsonObject, object]>([
    ['an absent key', {}, { env: [a] }, { env: [a] }],
    ['a null one', { env: null }, { env: [a] }, { env: [a] }],
    ['a null list of the preset', { env: [a] }, { env: null }, { env: [a] }],
    ['two lists', { volumeMounts: [b] }, { volumeMounts: [a] }, { volumeMounts: [a, b] }],
    ['the order of the preset', { args: ['z'] }, { args: ['x', 'y'] }, { args: ['x', 'y', 'z'] }],
    [
      'an element with more keys',
      { volumeMounts: [{ ...a, more: 1 }] },
      { volumeMounts: [a, b] },
      { volumeMounts: [b, { ...a, more: 1 }] },
    ],
    [
      'lists within elements',
      { volumes: [{ items: [{ key: 'x', mode: 1 }, 'y'] }] },
      { volumes: [{ items: ['y', { key: 'x' }] }] },
      { volumes: [{ items: [{ key: 'x', mode: 1 }, 'y'] }] },
    ],
    [
      'what the API server leaves out',
      { volumeMounts: [{ name: 'a' }] },
      { volumeMounts: [{ name: 'a', readOnly: false, subPath: '' }] },
      { volumeMounts: [{ name: 'a' }] },
    ],
    [
      'a variable of the container',
      { env: [{ name: 'a', value: 'own' }] },
      { env: [a, b] },
      { env: [b, { name: 'a', value: 'own' }] },
    ],
    [
      'an object, one level deep',
      { securityContext: { runAsUser: 1, capabilities: { add: ['X'], drop: ['Y'] } } },
      { securityContext: { capabilities: { add: ['Z'] }, privileged: false } },
      { securityContext: { runAsUser: 1, capabilities: { add: ['Z'] }, privileged: false } },
    ],
    [
      'resources, key by key',
      { resources: { limits: { cpu: '1', memory: '1Gi' }, claims: [] } },
      { resources: { limits: { cpu: '2' }, requests: { cpu: '1' } } },
      { resources: { limits: { cpu: '2', memory: '1Gi' }, claims: [], requests: { cpu: '1' } } },
    ],
    ['a scalar', { image: 'own' }, { image: 'other' }, { image: 'own' }],
    ['a scalar under a list', { args: 'own' }, { args: ['x'] }, { args: 'own' }],
    ['a list under an object', { env: [a] }, { env: { name: 'b' } }, { env: [a] }],
    [
      'names that objects inherit',
      {},
      JSON.parse('{"constructor": [1], "__proto__": [2]}') as JsonObject,
      JSON.parse('{"constructor": [1], "__proto__": [2]}') as object,
    ],
  ])('%s', (_, container, template, expected) =>
    expect(containerOf(container, template)).toEqual(expected),
  );
});

describe('graph-apps.md 5.4: GPUs', () => {
  const gpu = (count: unknown): JsonObject => ({ limits: { 'nvidia.com/gpu': count } });

  test.each<[string, object, JsonObject, PodFacts, unknown]>([
    ['a cluster without them', {}, {}, noGpus, undefined],
    ['a container without limits', {}, {}, gpus, gpu(0)],
    ['null limits', { resources: { limits: null } }, {}, gpus, gpu(0)],
    [
      'other limits stay',
      { resources: { limits: { cpu: '1' } } },
      {},
      gpus,
      { limits: { cpu: '1', 'nvidia.com/gpu': 0 } },
    ],
    ['one that asks for some', { resources: gpu(1) }, {}, gpus, gpu(1)],
    ['a preset that gives some', {}, { resources: gpu(2) }, gpus, gpu(2)],
  ])('%s', (_, container, template, facts, expected) =>
    expect(containerOf(container, template, facts)).toEqual(
      expected === undefined ? {} : { resources: expected },
    ),
  );
});

test('graph-apps.md 5.4: init containers of the preset come first and get no template', () => {
  const clone = { name: 'git-clone', image: 'git' };
  const preset = {
    containerTemplate: { env: [{ name: 'A', value: '1' }] },
    podTemplate: { initContainers: [clone], volumes: null },
  };
  const pod = {
    spec: { containers: [{ name: 'c' }], initContainers: [{ name: 'own' }], volumes: null },
  };
  const once = mutatePod<{ spec: JsonObject }>(pod, preset, noGpus);
  const { env } = preset.containerTemplate;
  expect(once.spec).toEqual({
    containers: [{ name: 'c', env }],
    initContainers: [clone, { name: 'own', env }],
    volumes: null,
  });
  expect(mutatePod(once, preset, noGpus)).toEqual(once);
});

test.each([{}, { containerTemplate: null, podTemplate: null }])(
  'graph-apps.md 5.4: absent templates count as empty, %j',
  (preset) => {
    const pod = { spec: { containers: [{ name: 'c' }] } };
    expect(mutatePod(pod, preset, noGpus)).toEqual(pod);
  },
);

test('claims of a preset are those of its volumes', () => {
  const volumes = [
    { name: 'a', persistentVolumeClaim: { claimName: 'one' } },
    { name: 'b', emptyDir: {} },
    null,
    { persistentVolumeClaim: { claimName: 3 } },
  ];
  expect(claimsOf({ podTemplate: { volumes } })).toEqual(['one']);
  expect(claimsOf({ podTemplate: { volumes: {} } })).toEqual([]);
  expect(claimsOf({})).toEqual([]);
});

const leaf = fc.constantFrom<unknown>('x', 'y', 1, true, false, '', 0, null);
const element = fc.oneof(
  leaf,
  fc.dictionary(
    fc.constantFrom('name', 'value', 'readOnly', 'items'),
    fc.oneof(leaf, fc.array(leaf)),
    { noNullPrototype: true },
  ),
);
const template = fc.dictionary(
  fc.constantFrom('env', 'volumeMounts', 'resources', 'securityContext', 'image'),
  fc.oneof(
    leaf,
    fc.array(element, { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('limits', 'requests', 'a'),
      fc.dictionary(fc.constantFrom('cpu', 'nvidia.com/gpu'), leaf, { noNullPrototype: true }),
      { noNullPrototype: true },
    ),
  ),
  { noNullPrototype: true },
);
const containers = fc.array(
  fc.tuple(fc.constantFrom('c', 'd', 'e'), template).map(([name, rest]) => ({ ...rest, name })),
  { maxLength: 3 },
);
const podSpec = fc
  .tuple(template, fc.record({ containers, initContainers: containers }, { requiredKeys: [] }))
  .map(([rest, lists]): JsonObject => ({ ...rest, ...lists }));
const presets = fc.record({ containerTemplate: template, podTemplate: podSpec });

const mounts = fc.array(
  fc.record(
    {
      name: fc.constantFrom('a', 'b', 'c'),
      readOnly: fc.boolean(),
      subPath: fc.constantFrom('', 'x'),
      items: fc.array(fc.record({ key: fc.constantFrom('', 'k'), mode: fc.constantFrom(0, 1) })),
    },
    { requiredKeys: ['name'], noNullPrototype: true },
  ),
  { maxLength: 3 },
);
const lists = fc.record({ env: mounts, volumeMounts: mounts }, { requiredKeys: [] });

/** Elements as the API server gives them back: what is empty is left out, defaults are added. */
function readBack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readBack);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => !['', 0, false].includes(member));
  const members = kept.map(([key, member]) => [key, readBack(member)] as const);
  return { ...Object.fromEntries(members), defaulted: 'File' };
}

describe('graph-apps.md 5.4: applying it twice changes nothing', () => {
  test('to a pod that has just been changed', () => {
    fc.assert(
      fc.property(podSpec, presets, fc.boolean(), (spec, preset, gpuNodes) => {
        const once = mutatePod({ spec }, preset, { gpuNodes });
        expect(mutatePod(once, preset, { gpuNodes })).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  test('to a pod that was read back and is created again', () => {
    fc.assert(
      fc.property(lists, lists, lists, (container, containerTemplate, podTemplate) => {
        const preset = { containerTemplate, podTemplate };
        const pod = { spec: { containers: [{ name: 'c', ...container }] } };
        const stored = readBack(mutatePod(pod, preset, noGpus)) as typeof pod;
        expect(mutatePod(stored, preset, noGpus)).toEqual(stored);
      }),
      { numRuns: 300 },
    );
  });
});
