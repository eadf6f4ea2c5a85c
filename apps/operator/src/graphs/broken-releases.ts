import { keyOf, type KubeObject, type ResourceType } from '@glacis/kube';
import type { Plan } from './plan.js';
import { watchedTypes } from './manifest-types.js';
import type { ObjectName, ReleaseRecord } from './records.js';
import { knownRelease, liveReleases } from './releases.js';
import { clientOf, type Work } from './work.js';

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
      const found = live.find(({ record }) => record.release === release)?.record;
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
  const known = knownRelease(work, namespace, release);
  if (known?.status !== 'deployed') return true;
  return isOfChart(known) && known.objects.some((object) => isMissing(work, known, object));
}

/** What the operator renders it mends object by object. */
const isOfChart = ({ release }: ReleaseRecord): boolean =>
  release === 'component' || release === 'auth-aux';

function isMissing({ cache }: Work, { metadata }: KubeObject, object: ObjectName): boolean {
  const namespace = object.namespace ?? metadata.namespace;
  return cache.hasChartObject(object.kind, keyOf({ namespace, name: object.name })) === false;
}

async function lacksObject(work: Work, release: ReleaseRecord): Promise<boolean> {
  if (!isOfChart(release)) return false;
  const missing = release.objects.filter((object) => isMissing(work, release, object));
  for (const { kind, name, namespace = release.metadata.namespace } of missing) {
    const type = watchedTypes.find((each) => each.kind === kind);
    if (type && !(await isThere(work, type, { namespace, name }))) return true;
  }
  return false;
}

async function isThere(
  work: Work,
  type: ResourceType,
  ref: { namespace?: string; name: string },
): Promise<boolean> {
  return (await clientOf<KubeObject>(work, type).find(ref)) !== undefined;
}
