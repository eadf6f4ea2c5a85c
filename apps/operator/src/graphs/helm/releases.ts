import { gunzipSync } from 'node:zlib';

/** What is read of a Secret. */
export interface ReleaseSecret {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  type?: string;
  data?: Record<string, string>;
}

export type ReleaseStatus =
  | 'deployed'
  | 'superseded'
  | 'failed'
  | 'uninstalled'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback'
  | 'unknown';

/** One revision, as the labels of its Secret have it. */
export interface Revision {
  revision: number;
  status: ReleaseStatus;
}

/** What helm keeps of a release in the cluster (storage driver `secret`); reading it takes no process. */
export interface Release extends Revision {
  name: string;
  namespace: string;
  /** All that are kept, the newest first: `revision` and `status` are those of the first. */
  history: Revision[];
  /** Of the newest revision, from within its Secret: undefined where that is unreadable. */
  details(): ReleaseDetails | undefined;
}

export interface ReleaseDetails {
  description: string;
  /** `appVersion` is the digest of the objects where the chart was rendered here. */
  chart: { name: string; version: string; appVersion: string };
  /** The values that it was given. */
  values: Record<string, unknown>;
  /** The objects as YAML documents, without hooks. */
  manifest: string;
}

/** Selects the Secrets of all releases. */
export const releaseSelector = 'owner=helm';

const secretType = 'helm.sh/release.v1';
/** A Secret holds 1 MiB; what it unpacks to is not taken on trust. */
const maxUnpackedBytes = 64 << 20;

/** The releases behind these Secrets, by namespace and name; other Secrets are passed over. */
export function releasesOf(secrets: Iterable<ReleaseSecret>): Release[] {
  const byRelease = new Map<string, [ReleaseSecret, ...ReleaseSecret[]]>();
  for (const secret of secrets) {
    const { labels, namespace } = secret.metadata;
    if (secret.type !== secretType || labels?.name === undefined) continue;
    const key = `${namespace}/${labels.name}`;
    const others = byRelease.get(key);
    if (others) others.push(secret);
    else byRelease.set(key, [secret]);
  }
  return [...byRelease.values()].map(releaseOf);
}

function releaseOf(secrets: [ReleaseSecret, ...ReleaseSecret[]]): Release {
  const sorted = secrets.toSorted((a, b) => revisionOf(b).revision - revisionOf(a).revision);
  const newest = sorted[0] ?? secrets[0];
  return {
    name: newest.metadata.labels?.name ?? '',
    namespace: newest.metadata.namespace ?? '',
    ...revisionOf(newest),
    history: sorted.map(revisionOf),
    details: () => detailsOf(newest),
  };
}

function revisionOf({ metadata: { labels = {} } }: ReleaseSecret): Revision {
  return {
    revision: Number(labels.version ?? 0),
    status: (labels.status ?? 'unknown') as ReleaseStatus,
  };
}

interface StoredRelease {
  info?: { description?: string };
  chart?: { metadata?: Partial<ReleaseDetails['chart']> };
  config?: Record<string, unknown> | null;
  manifest?: string;
}

/** Base64 of the API around base64 of helm around gzip. */
function detailsOf({ data }: ReleaseSecret): ReleaseDetails | undefined {
  try {
    const packed = Buffer.from(Buffer.from(data?.release ?? '', 'base64').toString(), 'base64');
    const text = gunzipSync(packed, { maxOutputLength: maxUnpackedBytes }).toString();
    return readStored(JSON.parse(text) as StoredRelease);
  } catch {
    return undefined;
  }
}

function readStored({ info, chart, config, manifest = '' }: StoredRelease): ReleaseDetails {
  const { name = '', version = '', appVersion = '' } = chart?.metadata ?? {};
  const description = info?.description ?? '';
  return { description, chart: { name, version, appVersion }, values: config ?? {}, manifest };
}

/** Somebody holds its lock, or did so when he was killed. */
export const isLocked = ({ status }: Revision): boolean => status.startsWith('pending-');

/** The revision to go back to from a lock that nobody holds: never the previous one just because it is that. */
export function lastGood({ history }: Pick<Release, 'history'>): Revision | undefined {
  return (
    history.find(({ status }) => status === 'deployed') ??
    history.find(({ status }) => status === 'superseded')
  );
}
