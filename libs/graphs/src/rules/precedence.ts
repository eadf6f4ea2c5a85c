import type { Holder } from '../cluster-view.js';
import { appId } from '../names.js';
import { compareText } from '../text.js';
import { isOwn, type Facts } from './facts.js';

/** Whether a name is another graph's: of two that took it at once the older keeps it, or the first by its name. */
export function heldElsewhere(facts: Facts, holders: readonly Holder[]): boolean {
  const [oldest] = holders.toSorted(byAge);
  if (!oldest) return false;
  const isHolder = holders.some(({ graph }) => isOwn(facts, graph));
  return !isHolder || !isOwn(facts, oldest.graph);
}

function byAge(a: Holder, b: Holder): number {
  return compareText(a.createdAt, b.createdAt) || compareText(appId(a.graph), appId(b.graph));
}
