import type { CaSet } from './ca-set.js';
import { canSign, type Ca } from './issuer.entity.js';

const dayMs = 24 * 3_600_000;
const marginMs = 30 * dayMs;

/** How long new CAs are published before they sign (`certificates.md` 5). */
export const leastOverlapMs = dayMs;

export const longestOverlapMs = 90 * dayMs;

export interface RotationTerms {
  now: Date;
  /** The longest life of a leaf. */
  leafMs: number;
  /** The life of an intermediate. */
  intermediateMs: number;
}

/** What is to be made by itself: an intermediate, or a root with an intermediate below it. */
export type RotationKind = 'intermediate' | 'root';

/**
 * What is due. A CA is replaced when what it signs would outlive it, with 30 days to spare, but never in the first half
 * of its life. While a next one waits, nothing is.
 */
export function dueRotation(cas: CaSet, terms: RotationTerms): RotationKind | null {
  const [root, current] = [cas.currentRoot(), currentOf(cas)];
  if (root === undefined) return 'root';
  if (current === undefined) return 'intermediate';
  if (cas.intermediates().some(({ state }) => state === 'pending')) return null;
  if (canSign(root) && isDue(root, terms.intermediateMs, terms.now)) return 'root';
  return isDue(current, terms.leafMs, terms.now) ? 'intermediate' : null;
}

/**
 * How long a CA that is made by itself is published first. Where the path length of the current root forbids a cross
 * certificate, the next root itself has to reach every client before it signs.
 */
export function overlapOf(kind: RotationKind, root: Ca | undefined): number {
  const isAlone = kind === 'root' && root !== undefined && root.info.pathLength !== null;
  return isAlone ? longestOverlapMs : leastOverlapMs;
}

/** The waiting intermediate whose time has come, or which is wanted at once, as none signs. */
export function promotable(cas: CaSet, now: Date): Ca | undefined {
  const [next] = cas
    .intermediates()
    .filter(({ state }) => state === 'pending')
    .toSorted((a, b) => a.signsFrom.getTime() - b.signsFrom.getTime());
  const isWanted = currentOf(cas) === undefined;
  return next !== undefined && (isWanted || next.signsFrom <= now) ? next : undefined;
}

/** What has signed and goes out of service: intermediates without a living leaf, roots without an intermediate. */
export function endable(cas: CaSet, inUse: ReadonlySet<string>): Ca[] {
  const intermediates = cas.intermediates();
  const ended = intermediates.filter(({ state, id }) => state === 'retired' && !inUse.has(id));
  const left = intermediates.filter((ca) => !ended.includes(ca));
  const roots = cas
    .roots()
    .filter(({ state }) => state === 'retired')
    .filter((root) => !left.some((ca) => cas.rootOf(ca)?.id === root.id));
  return [...ended, ...roots];
}

const currentOf = (cas: CaSet): Ca | undefined =>
  cas.intermediates().find(({ state }) => state === 'current');

function isDue({ info }: Ca, longestMs: number, now: Date): boolean {
  const life = info.notAfter.getTime() - info.notBefore.getTime();
  const left = info.notAfter.getTime() - now.getTime();
  return left < Math.min(longestMs + marginMs, life / 2);
}
