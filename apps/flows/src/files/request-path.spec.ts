import { posix } from 'node:path';
import fc from 'fast-check';
import { segmentsOf } from './request-path.js';

test('graph-apps.md 7.1: leading slashes are cut, the rest is normalised', () => {
  const cases: Record<string, string[]> = {
    '': [],
    '/': [],
    '.': [],
    '///a//b/./c/': ['a', 'b', 'c'],
    'a/../b': ['b'],
    'a/..': [],
    '..odd/x': ['..odd', 'x'],
    '...': ['...'],
    'a/...': ['a', '...'],
    'back\\slash/..%2f': ['back\\slash', '..%2f'],
  };
  for (const [path, segments] of Object.entries(cases)) expect(segmentsOf(path)).toEqual(segments);
});

test('graph-apps.md 7.1: a first segment .. is refused with the path as it was asked for', () => {
  for (const path of ['..', '../x', '/../x', 'a/../../x', './/..', '/a/b/../../..', 'nul\0']) {
    expect(() => segmentsOf(path)).toThrow(`Illegal request path: ${path}`);
  }
});

test('what is left never climbs, and means the same to the system', () => {
  const part = fc.constantFrom('a', '..', '.', '', '..odd', 'b c', '\n', 'é', '...', '\\');
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const path = parts.join('/');
      const meant = posix.join('/flow/', posix.normalize(path.replace(/^\/+/, '')));
      const inside = meant === '/flow' || meant.startsWith('/flow/');
      const read = (): string => posix.join('/flow', ...segmentsOf(path));
      if (!inside) expect(read).toThrow('Illegal request path');
      else expect(read()).toBe(meant.replace(/\/$/, ''));
    }),
  );
});
