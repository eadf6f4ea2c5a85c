import fc from 'fast-check';
import { mountPrefix, type Mount } from './mounts.js';

const segments = fc.array(fc.constantFrom('a', 'ab', 'b', '!', 'é'), { maxLength: 3 });

test('graph-apps.md 3.2, MOUNT_PREFIX: told of each path that equals or lies below another', () => {
  fc.assert(
    fc.property(fc.array(segments, { maxLength: 6 }), (paths) => {
      const mounts = paths.map<Mount>((path, index) => ({
        edge: `e${index}`,
        mountPath: `/${path.join('/')}`,
        path: `/${index}`,
      }));
      const isWithin = (inner: string[], outer: string[]): boolean =>
        outer.every((segment, index) => inner[index] === segment);
      const inner = paths.filter((path, at) =>
        paths.some(
          (other, index) =>
            // Of equal ones all but one lie within another.
            isWithin(path, other) && (other.length < path.length || index < at),
        ),
      );
      expect([...mountPrefix(mounts)]).toHaveLength(inner.length);
    }),
  );
});
