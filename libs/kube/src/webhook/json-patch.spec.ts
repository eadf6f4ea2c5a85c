import * as fc from 'fast-check';
import { jsonPatch, type JsonPatchOperation } from './json-patch.js';

type Json = Record<string, unknown>;

/** RFC 6902, section 4: every target must be there but the last name of an `add`. */
function applied(document: unknown, operations: JsonPatchOperation[]): unknown {
  const root = { '': structuredClone(document) } as Json;
  for (const operation of operations) {
    const names = operation.path
      .split('/')
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop()!;
    let parent: unknown = root;
    for (const name of names) {
      expect(Object.hasOwn(parent as Json, name)).toBe(true);
      parent = (parent as Json)[name];
    }
    if (Array.isArray(parent)) changeList(parent, Number(last), operation);
    else changeMap(parent as Json, last, operation);
  }
  return root[''];
}

function changeList(list: unknown[], index: number, operation: JsonPatchOperation): void {
  expect(index).toBeLessThan(list.length + (operation.op === 'add' ? 1 : 0));
  if (operation.op === 'remove') list.splice(index, 1);
  else list.splice(index, operation.op === 'add' ? 0 : 1, operation.value);
}

function changeMap(map: Json, name: string, operation: JsonPatchOperation): void {
  if (operation.op !== 'add') expect(Object.hasOwn(map, name)).toBe(true);
  if (operation.op === 'remove') delete map[name];
  else {
    const { value } = operation;
    Object.defineProperty(map, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
}

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'a/b', '~', '~1', '', '0', '__proto__', 'constructor'),
  fc.string({ maxLength: 3 }),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, 1, '', 'x'),
    fc.array(tie('json'), { maxLength: 5 }),
    fc.dictionary(names, tie('json'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const documents = fc.dictionary(names, json, { maxKeys: 5, noNullPrototype: true });
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('JSON patch of two objects', () => {
  it('makes the one of the other', () => {
    fc.assert(
      fc.property(documents, documents, (from, to) => {
        expect(applied(plain(from), jsonPatch(from, to))).toEqual(plain(to));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is empty for equals, and undefined members are absent', () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(jsonPatch(document, plain(document) as object)).toEqual([]);
      }),
    );
    expect(jsonPatch({ a: 1 }, { a: undefined })).toEqual([{ op: 'remove', path: '/a' }]);
  });

  it('names what differs and nothing else', () => {
    const from = { metadata: { name: 'p' }, spec: { containers: [{ name: 'a' }, { name: 'b' }] } };
    const to = {
      metadata: { name: 'p', labels: { 'x.io/y~z': '1' } },
      spec: { containers: [{ name: 'init' }, { name: 'a' }, { name: 'b', image: 'i' }] },
    };
    expect(jsonPatch(from, { ...to, spec: from.spec })).toEqual([
      { op: 'add', path: '/metadata/labels', value: { 'x.io/y~z': '1' } },
    ]);
    expect(jsonPatch(to, { ...to, metadata: { name: 'p', labels: { 'x.io/y~z': '2' } } })).toEqual([
      { op: 'replace', path: '/metadata/labels/x.io~1y~0z', value: '2' },
    ]);
    const inserted = { ...from.spec, containers: [{ name: 'init' }, ...from.spec.containers] };
    expect(jsonPatch(from, { ...from, spec: inserted })).toEqual([
      { op: 'add', path: '/spec/containers/0', value: { name: 'init' } },
    ]);
    const fewer = { containers: [{ name: 'b' }] };
    expect(jsonPatch(from, { ...from, spec: fewer })).toEqual([
      { op: 'remove', path: '/spec/containers/0' },
    ]);
  });
});
