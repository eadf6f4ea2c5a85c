import { createHash } from 'node:crypto';
import { ownershipLabels } from '@glacis/graphs';
import { builtIns, isKubeError, keyOf } from '@glacis/kube';
import type { Install } from './helm/helm.js';
import { releasesOf, type Release } from './helm/releases.js';
import {
  fingerprintLabel,
  isOfChart,
  releaseRecord,
  unreadable,
  type ReleaseRecord,
  type ReleaseState,
} from './records.js';
import { clientOf, type Work } from './work.js';

/** A release as it is wanted. */
export interface WantedRelease {
  namespace: string;
  release: string;
  /** Of all that it is made of: another one wants another revision. */
  fingerprint: string;
  chart: () => Promise<Install['chart']>;
  values: object;
}

/**
 * - `keep`: it stands as it is wanted
 * - `install`: helm installs or upgrades it, from whatever state
 * - `unlock`: a process that is no more holds its lock
 * - `uninstall`: its removal was begun; helm takes no upgrade before that is done
 */
export type ReleaseAction = 'keep' | 'install' | 'unlock' | 'uninstall';

/** What is to be done with a release while no process works on it. */
export function releaseAction(
  there: Pick<ReleaseRecord, 'status' | 'fingerprint'> | undefined,
  fingerprint: string,
): ReleaseAction {
  if (there?.status === 'uninstalling') return 'uninstall';
  if (there?.status.startsWith('pending-')) return 'unlock';
  return there?.status === 'deployed' && there.fingerprint === fingerprint ? 'keep' : 'install';
}

/** A release as the API server has it, and what is kept of it. */
export interface LiveRelease extends Release {
  record(): ReleaseRecord;
}

/** Releases of a Namespace as the API server has them now. */
export async function liveReleases(
  work: Pick<Work, 'server'>,
  namespace: string,
): Promise<LiveRelease[]> {
  const secrets = clientOf(work, builtIns.secrets);
  const { items } = await secrets.list({ namespace, labelSelector: 'owner=helm' });
  return releasesOf(items).flatMap((release) => {
    const newest = items.find(
      ({ metadata: { labels = {} } }) =>
        labels.name === release.name && Number(labels.version) === release.revision,
    );
    return newest ? [{ ...release, record: () => releaseRecord(newest) }] : [];
  });
}

/** The same before this reconcile installs any: one that it has made needs no question. */
export async function releasesBefore(
  work: Pick<Work, 'server' | 'made'>,
  namespace: string,
): Promise<LiveRelease[]> {
  return work.made.has(namespace) ? [] : liveReleases(work, namespace);
}

export interface Ensuring {
  /** Also when it stands: something of it is missing. */
  force?: boolean;
  /** Those of its Namespace, where they were asked for a moment ago. */
  live?: readonly LiveRelease[];
}

/**
 * Brings a release to what is wanted.
 * @returns whether helm had to install it
 * @throws {HelmError}
 */
export async function ensureRelease(
  work: Work,
  wanted: WantedRelease,
  { force = false, live }: Ensuring = {},
): Promise<boolean> {
  const { namespace, release: name } = wanted;
  const all = live ?? (await releasesBefore(work, namespace));
  const there = all.find((release) => release.name === name);
  const record = there?.record();
  const action = releaseAction(record, wanted.fingerprint);
  if (record && action === 'keep' && !force) {
    work.seen.set(keyOf({ namespace, name }), record);
    return false;
  }
  if (there && record) await clear(work, { there, record }, action);
  await install(work, wanted);
  return true;
}

/** Takes out of the way what keeps helm from an upgrade. */
async function clear(
  work: Work,
  { there, record }: { there: Release; record: ReleaseRecord },
  action: ReleaseAction,
): Promise<void> {
  if (action === 'unlock') await work.helm.unlock(there);
  if (action === 'uninstall') {
    await work.helm.uninstall({ namespace: there.namespace, release: there.name });
  }
  // Helm cannot go on from what it cannot read; objects of that release it takes over.
  if (record.status === unreadable) await dropRevision(work, record);
}

async function dropRevision(work: Work, { metadata }: ReleaseRecord): Promise<void> {
  try {
    await clientOf(work, builtIns.secrets).delete(metadata, { uid: metadata.uid });
  } catch (error) {
    if (!isKubeError(error, 'notFound', 'conflict')) throw error;
  }
}

async function install(work: Work, wanted: WantedRelease): Promise<void> {
  const { namespace, release, fingerprint, values } = wanted;
  const key = keyOf({ namespace, name: release });
  try {
    const { chart, ...state } = await work.helm.install({
      namespace,
      release,
      chart: await wanted.chart(),
      values,
      labels: { ...ownershipLabels(work.id), [fingerprintLabel]: fingerprint },
    });
    work.seen.set(key, { release, ...state, chart: chart.name, version: chart.version });
    if (isOfChart({ release })) work.memory.looked.set(key, work.now().getTime());
  } catch (error) {
    const after = await liveReleases(work, namespace).catch(() => []);
    const found = after.find(({ name }) => name === release);
    if (found) work.seen.set(key, found.record());
    throw error;
  }
}

/** Text that is the same for the same parts only; fits a label. */
export function fingerprintOf(...parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts, sorted)).digest('hex').slice(0, 32);
}

/** Members in order, whatever order they were written in. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The newest that is known of a release: seen by this reconcile, or in the cache. */
export function knownRelease(
  { seen, cache }: Pick<Work, 'seen' | 'cache'>,
  namespace: string,
  name: string,
): ReleaseState | undefined {
  const [own, cached] = [seen.get(keyOf({ namespace, name })), cache.release(namespace, name)];
  if (!own || !cached) return cached ?? own;
  return own.revision >= cached.revision ? own : cached;
}
