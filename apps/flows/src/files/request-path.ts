import { posix } from 'node:path';
import { malformed } from '../http/problem.js';

export const illegalPath = (path: string): Error => malformed(`Illegal request path: ${path}`);

/**
 * The segments of a `path` of the query, relative to the flow; none for the flow itself.
 * @throws {Problem} 400 where it leads out of the flow
 */
export function segmentsOf(path: string): string[] {
  if (path.includes('\0')) throw illegalPath(path);
  const normal = posix.normalize(path.replace(/^\/+/, ''));
  const segments = normal.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments[0] === '..') throw illegalPath(path);
  return segments;
}
