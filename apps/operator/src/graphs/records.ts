// What the caches keep of objects: as little as is asked for, as there are many of them.
import { LABELS } from '@glacis/graphs';
import type { builtIns, KubeObject, ResourceType } from '@glacis/kube';
import { parseAllDocuments } from 'yaml';
import { releasesOf, type ReleaseSecret } from './helm/releases.js';

type TypeOf<R> = R extends ResourceType<infer T> ? T : never;
type Pod = TypeOf<(typeof builtIns)['pods']>;
type Volume = TypeOf<(typeof builtIns)['persistentVolumes']>;

/** Label of a release's Secret: of what it was installed from. */
export const fingerprintLabel = 'glacis.dev/fingerprint';

export interface PodRecord extends KubeObject {
  /** Why it does not get on. */
  trouble?: string;
}

export interface VolumeRecord extends KubeObject {
  policy?: string;
  phase?: string;
  claim?: { namespace: string; name: string };
}

/** Names an object of a manifest. */
export interface ObjectName {
  apiVersion: string;
  kind: string;
  /** Absent: that of the release, or none. */
  namespace?: string;
  name: string;
}

/** A revision of a release, for the status. */
export interface ReleaseState {
  release: string;
  revision: number;
  status: string;
  description: string;
  chart: string;
  version: string;
}

/** One revision of a release. */
export interface ReleaseRecord extends KubeObject, ReleaseState {
  fingerprint?: string;
  /** Of a chart that is installed: what its manifest names and has to be there. */
  objects: readonly ObjectName[];
  /** Of the release `component`: the resource of each edge, as the chart was told. */
  edges?: Readonly<Record<string, unknown>>;
}

/** Without labels, annotations and whatever else nobody asks for. */
const bare = ({ apiVersion, kind, metadata }: KubeObject): KubeObject => {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp };
  return { apiVersion, kind, metadata: kept };
};

/** An object of a chart: that it is there, and of which release it is. */
export function chartObject(object: KubeObject): KubeObject {
  const release = object.metadata.annotations?.[releaseAnnotation];
  const record = bare(object);
  if (release === undefined) return record;
  return {
    ...record,
    metadata: { ...record.metadata, annotations: { [releaseAnnotation]: release } },
  };
}

/** By which helm knows what is its own. */
export const releaseAnnotation = 'meta.helm.sh/release-name';

/** An object that the operator has rendered, as text: as objects ten thousand of them are three times as large. */
export interface PackedObject extends KubeObject {
  text: string;
}

export function packed(object: KubeObject): PackedObject {
  const record = bare(object);
  const { managedFields: _, ...metadata } = object.metadata;
  return {
    ...record,
    metadata: { ...record.metadata, labels: marksIn(object) },
    text: JSON.stringify({ ...object, metadata }),
  };
}

export const unpacked = ({ text }: PackedObject): KubeObject => JSON.parse(text) as KubeObject;

/** Labels by which an object is found. */
function marksIn({ metadata: { labels = {} } }: KubeObject): Record<string, string> {
  const marks = [LABELS.graphUid, LABELS.graphNamespace, LABELS.graph];
  return Object.fromEntries(
    marks.flatMap((mark) => (mark in labels ? [[mark, labels[mark] ?? '']] : [])),
  );
}

/** A Namespace: its marks and notes. */
export function namespaceRecord(namespace: KubeObject): KubeObject {
  const record = bare(namespace);
  const { labels, annotations } = namespace.metadata;
  return { ...record, metadata: { ...record.metadata, labels, annotations } };
}

/** A graph without what kubectl notes of it for itself, which is its spec once more. */
export function graphRecord<G extends KubeObject>(graph: G): G {
  const { [lastApplied]: _, ...annotations } = graph.metadata.annotations ?? {};
  return { ...graph, metadata: { ...graph.metadata, annotations, managedFields: undefined } };
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

export function podRecord(pod: Pod): PodRecord {
  const trouble = waitingIn(pod) ?? unschedulable(pod);
  return { ...bare(pod), ...(trouble !== undefined && { trouble }) };
}

/** The first container that is not ready and waits for a reason. */
function waitingIn({ status }: Pod): string | undefined {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const waiting = all.find(({ ready, state }) => !ready && state?.waiting?.reason !== undefined);
  const { reason, message } = waiting?.state?.waiting ?? {};
  return message === undefined ? reason : `${reason}: ${message}`;
}

function unschedulable({ status }: Pod): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  return `Unschedulable: ${scheduled.message ?? 'no node takes it'}`;
}

export function volumeRecord(volume: Volume): VolumeRecord {
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec ?? {};
  const { namespace, name } = claimRef ?? {};
  const record = bare(volume);
  return {
    ...record,
    metadata: { ...record.metadata, labels: volume.metadata.labels },
    policy,
    phase: volume.status?.phase,
    ...(namespace && name && { claim: { namespace, name } }),
  };
}

/** Of the Secret that helm keeps of a revision. */
export function releaseRecord(secret: KubeObject & ReleaseSecret): ReleaseRecord {
  const { labels = {} } = secret.metadata;
  const { name: release = '', version: revision, status = 'unknown' } = labels;
  const record = bare(secret);
  const known = {
    ...record,
    metadata: { ...record.metadata, labels },
    release,
    revision: Number(revision ?? 0),
    fingerprint: labels[fingerprintLabel],
  };
  // What is in it nobody asks for, and there may be nine of them.
  if (status === 'superseded') return { ...known, ...withoutContent, status };
  const details = releasesOf([secret])[0]?.details();
  // Without its content nothing can be said of it, and helm cannot go on from it either.
  if (!details) return { ...known, ...withoutContent };
  const { description, chart, manifest, values } = details;
  const { name, version } = chart;
  const isMissed = status === 'deployed' && isOfChart({ release });
  const objects = isMissed ? namesIn(manifest) : [];
  return { ...known, status, description, chart: name, version, objects, edges: edgesIn(values) };
}

/** Of the others the operator renders the objects, and mends them one by one. */
export const isOfChart = ({ release }: Pick<ReleaseRecord, 'release'>): boolean =>
  release === 'component' || release === 'auth-aux';

/** State of a release whose Secret does not hold what helm puts there. */
export const unreadable = 'unreadable';

const withoutContent = {
  status: unreadable,
  description: 'what helm has kept of it cannot be read',
  chart: '',
  version: '',
  objects: [],
};

interface ManifestDocument {
  apiVersion?: unknown;
  kind?: unknown;
  metadata?: { name?: unknown; namespace?: unknown };
  spec?: { ttlSecondsAfterFinished?: unknown };
}

/** A manifest that the API server has taken is YAML; what else stands there is passed over. */
function namesIn(manifest: string): ObjectName[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    const { apiVersion, kind, metadata, spec } = (document.toJS() ?? {}) as ManifestDocument;
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
    // A Job that goes when it is done is not missed.
    if (kind === 'Job' && spec?.ttlSecondsAfterFinished !== undefined) return [];
    const { name, namespace } = metadata ?? {};
    if (typeof name !== 'string') return [];
    return [{ apiVersion, kind, name, ...(typeof namespace === 'string' && { namespace }) }];
  });
}

function edgesIn(values: Record<string, unknown> | undefined): ReleaseRecord['edges'] {
  const { inputs, outputs } = (values?.['rampart'] ?? {}) as Record<string, object | undefined>;
  return inputs || outputs ? { ...inputs, ...outputs } : undefined;
}
