import { componentNamespace, isMounted, type Component } from '@glacis/graphs';
import type { Mounts, Work } from './work.js';

/** Mount paths as the charts were told when they were installed; undefined where one is not known. */
export function recordedMounts(work: Work): Mounts | undefined {
  const mounts = knownMounts(work);
  const names = Object.keys(work.graph.spec.graph.components);
  return names.every((name) => mounts.has(name)) ? mounts : undefined;
}

/** The same of those components of which all are known. */
export function knownMounts(work: Work): Mounts {
  const mounts = new Map<string, ReadonlyMap<string, string>>();
  for (const [name, component] of Object.entries(work.graph.spec.graph.components)) {
    const namespace = componentNamespace(work.id, name, component.namespace);
    const told = work.cache.release(namespace, 'component')?.edges ?? {};
    const known = mountsOf(component, new Map(Object.entries(told)));
    if (known) mounts.set(name, known);
  }
  return mounts;
}

function mountsOf(
  { inputs, outputs }: Component,
  told: ReadonlyMap<string, unknown>,
): Map<string, string> | undefined {
  const mounts = new Map<string, string>();
  for (const [edge, value] of [...Object.entries(inputs), ...Object.entries(outputs)]) {
    if (!isMounted(value)) continue;
    const path = told.get(edge);
    if (typeof path !== 'string') return undefined;
    mounts.set(edge, path);
  }
  return mounts;
}
