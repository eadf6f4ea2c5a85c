import { isObject } from '../json.js';
import { LABELS } from '../marks.js';

const label = LABELS.controlled;

/** The JSON patch by which an Ingress or ApisixRoute is found among those of graphs (5.5). */
export function labelRoute(object: {
  metadata?: unknown;
}): { op: 'add'; path: string; value: unknown }[] {
  const { metadata } = object;
  if (!isObject(metadata)) return [add('/metadata', { labels: { [label]: 'true' } })];
  if (!isObject(metadata['labels'])) return [add('/metadata/labels', { [label]: 'true' })];
  return [add(`/metadata/labels/${label}`, 'true')];
}

const add = (path: string, value: unknown): { op: 'add'; path: string; value: unknown } => ({
  op: 'add',
  path,
  value,
});
