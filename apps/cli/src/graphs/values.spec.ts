import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { mergeValues } from '@glacis/graphs';
import { temporaryFolder } from '@glacis/testbed';
import fc from 'fast-check';
import { valuesFlag, withValues } from './values.js';

test('graph-apps.md 8: the forms of -v', () => {
  expect(valuesFlag('values.yaml')).toEqual({ source: 'values.yaml' });
  expect(valuesFlag('https://host/x?a=b')).toEqual({ source: 'https://host/x?a=b' });
  expect(valuesFlag('./a=b.yaml')).toEqual({ source: './a=b.yaml' });
  expect(valuesFlag('my-part=v.yaml')).toEqual({ component: 'my-part', source: 'v.yaml' });
  expect(valuesFlag('c=https://host/x?a=b')).toEqual({
    component: 'c',
    source: 'https://host/x?a=b',
  });
});

describe('graph-apps.md 8: values', () => {
  const graph = {
    components: {
      a: { chart: {}, config: { keep: 1, deep: { x: 1, y: [1, 2] } } },
      b: { chart: {}, config: {} },
    },
    flows: {},
  };
  let folder: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    await writeFile(join(folder, 'all.yaml'), 'deep: {y: [3], z: 3}\nnew: true\n');
    await writeFile(join(folder, 'a.yaml'), '{"deep": {"x": null}, "new": {"only": "a"}}');
    await writeFile(join(folder, 'list.yaml'), '[1]');
    await writeFile(join(folder, 'bad.yaml'), 'a: [');
  });

  test('are merged into config of every or of the named component, later ones over earlier ones', async () => {
    const merged = await withValues(graph, [
      join(folder, 'all.yaml'),
      `a=${join(folder, 'a.yaml')}`,
    ]);
    expect(merged).toMatchObject({
      components: {
        a: { config: { keep: 1, deep: { x: null, y: [3], z: 3 }, new: { only: 'a' } } },
        b: { config: { deep: { y: [3], z: 3 }, new: true } },
      },
    });
  });

  test('come from a URL as well', async () => {
    const server = createServer((request, response) => {
      const known = request.headers.authorization === `Basic ${btoa('me:pass word')}`;
      response.writeHead(known ? 200 : 401).end('from: page\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const page = (user: string) => `b=http://${user}127.0.0.1:${port}/v.yaml`;
    const merged = await withValues(graph, [page('me:pass%20word@')]);
    expect(merged).toMatchObject({ components: { b: { config: { from: 'page' } } } });
    await expect(withValues(graph, [page('')])).rejects.toThrow('the server answers 401');
    server.closeAllConnections();
    server.close();
  });

  test('what cannot be used is named', async () => {
    const refusals = {
      'c=all.yaml': "no component 'c'",
      'constructor=all.yaml': "no component 'constructor'",
      'list.yaml': 'expected a map',
      'bad.yaml': 'bad.yaml',
      'nowhere.yaml': 'ENOENT',
    };
    for (const [flag, reason] of Object.entries(refusals)) {
      const path = flag.replace(/(^|=)(\w+\.yaml)/, `$1${folder}/$2`);
      await expect(withValues(graph, [path])).rejects.toThrow(reason);
    }
  });

  test('merging keeps every key of both, and takes what is above', () => {
    const maps = fc.dictionary(
      fc.constantFrom('a', 'b', '__proto__', 'c'),
      fc.jsonValue({ maxDepth: 3 }),
    );
    fc.assert(
      fc.property(maps, maps, (below, above) => {
        const merged = mergeValues(below, above);
        const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
        expect(new Set(Object.keys(merged))).toEqual(keys);
        expect(mergeValues(merged, above)).toEqual(merged);
        expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
      }),
    );
  });
});
