/** Where the directories of edges appear in the pods (graph-apps.md 3.2 and 3.3). */
import { declaredEdge, type Declaration } from '../chart/declaration.js';
import { isMounted } from '../graph.js';
import { pointer } from '../json.js';
import { rampartView } from '../names.js';
import { compareText, stripped } from '../text.js';
import type { Finding } from '../verdict.js';
import type { PlacedEdge } from './edges.js';

export interface Mount {
  edge: string;
  mountPath: string;
  /** Pointer to the path, or to the edge that has the default. */
  path: string;
}

/** Those that the graph itself sets. */
export function explicitMounts(edges: readonly PlacedEdge[]): Mount[] {
  return edges.flatMap((placed) => explicitMount(placed) ?? []);
}

/** Those of all volume and repository edges: the edge's own, else the chart's, else one of the edge's name. */
export function allMounts(edges: readonly PlacedEdge[], declaration?: Declaration): Mount[] {
  return edges
    .filter(({ edge }) => isMounted(edge))
    .map((placed) => explicitMount(placed) ?? defaultMount(placed, declaration));
}

function explicitMount({ edge, name, path }: PlacedEdge): Mount | undefined {
  const mountPath = isMounted(edge) ? edge.config?.mountPath : undefined;
  if (!mountPath) return undefined;
  const at = pointer(path, 'config', 'mountPath');
  return { edge: name, mountPath: normalForm(mountPath), path: at };
}

function defaultMount(placed: PlacedEdge, declaration?: Declaration): Mount {
  const { name, path } = placed;
  return { edge: name, mountPath: normalForm(defaultPath(placed, declaration)), path };
}

function defaultPath({ part, name }: PlacedEdge, declaration?: Declaration): string {
  const match = declaration && declaredEdge(declaration, part, name);
  const declared = match?.declared.mountPath;
  if (!declared) return `/${rampartView(name)}`;
  const rest = match?.rest;
  return rest === undefined ? declared : declared.replace(/\*$/, () => rampartView(rest));
}

function normalForm(mountPath: string): string {
  return `/${stripped(mountPath, '/ ')}`;
}

export function* mountInvalid(mounts: readonly Mount[]): Generator<Finding> {
  for (const { mountPath, path } of mounts) {
    const fault = faultOf(mountPath);
    if (fault !== null) yield { code: 'MOUNT_INVALID', path, message: `the mount path ${fault}` };
  }
}

function faultOf(mountPath: string): string | null {
  if (/(^|\/)\.{1,2}(\/|$)/.test(mountPath)) return 'has a segment . or ..';
  if (mountPath.includes('//')) return 'has a segment without a name';
  if (mountPath.includes(':')) return 'has a colon';
  return /\p{Cc}/u.test(mountPath) ? 'has a control character' : null;
}

/** Sorted with a slash at their ends, paths below another one follow it at once. */
export function* mountPrefix(mounts: readonly Mount[]): Generator<Finding> {
  const above: Mount[] = [];
  for (const mount of mounts.toSorted((a, b) => compareText(endedBySlash(a), endedBySlash(b)))) {
    while (above.length > 0 && !isWithin(mount, above.at(-1))) above.pop();
    const outer = above.at(-1);
    above.push(mount);
    if (!outer) continue;
    const message = `${mount.mountPath} lies within ${outer.mountPath} of edge ${outer.edge}`;
    yield { code: 'MOUNT_PREFIX', path: mount.path, message };
  }
}

function isWithin(mount: Mount, outer: Mount | undefined): boolean {
  return outer !== undefined && endedBySlash(mount).startsWith(endedBySlash(outer));
}

function endedBySlash({ mountPath }: Mount): string {
  return mountPath === '/' ? '/' : `${mountPath}/`;
}
