import { LABELS } from '@glacis/graphs';
import { keyOf, type KubeObject } from '@glacis/kube';

/** The graph that an object is of, by its labels. */
export function graphKeyOf({ metadata: { labels = {} } }: KubeObject): string | undefined {
  const [namespace, name] = [labels[LABELS.graphNamespace], labels[LABELS.graph]];
  return namespace !== undefined && name !== undefined ? keyOf({ namespace, name }) : undefined;
}

/** The same as a list, for indexes and triggers. */
export const graphKeysOf = (object: KubeObject): string[] => [graphKeyOf(object) ?? []].flat();
