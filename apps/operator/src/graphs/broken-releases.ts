import { isKubeError, keyOf, type KubeObject } from '@glacis/kube';
import type { AnyRef } from './helm/cluster-objects.js';
import type { Plan } from './plan.js';
import { isOfChart, type ObjectName, type ReleaseRecord } from './records.js';
import { liveReleases } from './releases.js';
import type { Work } from './work.js';

/**
 * Releases of a deployed graph, as `namespace/release`, that are not there as helm has left them, or of which an object is
 * missing. What the caches say is made sure of before anything is done about it.
 */
export async function brokenReleases(work: Work, plan: Plan): Promise<Set<string>> {
  const broken = new Set<string>();
  for (const [namespace, releases] of releasesOf(plan)) {
    const doubtful = releases.filter((release) => isDoubtful(work, namespace, release));
    if (doubtful.length === 0) continue;
    const live = await liveReleases(work, namespace);
    for (const release of doubtful) {
      const found = live.find(({ name }) => name === release)?.record();
      if (!found || found.status !== 'deployed' || (await lacksObject(work, found))) {
        broken.add(`${namespace}/${release}`);
      } else work.seen.set(keyOf({ namespace, name: release }), found);
    }
  }
  return broken;
}

function releasesOf({ components, flows }: Plan): [string, string[]][] {
  return [
    ...flows.map(({ name, type }): [string, string[]] => [name, [`flows-${type}`]]),
    ...components.map(({ name, spec }): [string, string[]] => [
      name,
      ['edges', 'component', ...(spec.ingressNeeded === true ? ['auth-aux'] : [])],
    ]),
  ];
}

function isDoubtful(work: Work, namespace: string, release: string): boolean {
  const known = work.cache.release(namespace, release);
  if (known?.status !== 'deployed') return true;
  if (!isOfChart(known)) return false;
  return (
    known.objects.some((object) => isMissing(work, known, object)) || isToBeLookedAt(work, known)
  );
}

/** undefined: its kind is not watched. */
function isCached(
  { cache }: Work,
  { metadata }: KubeObject,
  object: ObjectName,
): boolean | undefined {
  const namespace = object.namespace ?? metadata.namespace;
  return cache.hasChartObject(object.kind, keyOf({ namespace, name: object.name }));
}

const isMissing = (work: Work, release: ReleaseRecord, object: ObjectName): boolean =>
  isCached(work, release, object) === false;

/** Kinds that are not watched are looked for after each resync time. */
function isToBeLookedAt(work: Work, release: ReleaseRecord): boolean {
  const { memory, settings } = work;
  const at = memory.looked.get(lookKey(release)) ?? -Infinity;
  if (work.now().getTime() - at < settings.resyncMs) return false;
  return release.objects.some((object) => isCached(work, release, object) === undefined);
}

const lookKey = ({ metadata, release }: ReleaseRecord): string =>
  `${metadata.namespace}/${release}`;

/** As the API server says it. */
async function lacksObject(work: Work, release: ReleaseRecord): Promise<boolean> {
  if (!isOfChart(release)) return false;
  work.memory.looked.set(lookKey(release), work.now().getTime());
  const doubtful = release.objects.filter((object) => isCached(work, release, object) !== true);
  for (const object of doubtful) {
    if (!(await isThere(work, { namespace: release.metadata.namespace ?? '', ...object })))
      return true;
  }
  return false;
}

async function isThere(work: Work, ref: AnyRef): Promise<boolean> {
  try {
    return (await work.objects.find(ref)) !== undefined;
  } catch (error) {
    // What we may not see is not ours to miss.
    if (isKubeError(error, 'forbidden')) return true;
    throw error;
  }
}
