import { join } from 'node:path';

const provisioner = 'glacis.dev/hostpath';
const provisionedBy = 'pv.kubernetes.io/provisioned-by';

/**
 * By class, the folder of a claim below that of all volumes, in the form of nfs-subdir-external-provisioner 4.0. Claims of
 * one name share a folder where the pattern has nothing else of them.
 */
const pathPatterns: Readonly<Record<string, string>> = {
  hostpath: '${.PVC.namespace}/${.PVC.name}',
  'hostpath-by-name': '${.PVC.name}',
};

/** The first is the default. */
export const storageClasses = Object.entries(pathPatterns).map(([name, pathPattern], index) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name,
    annotations: { 'storageclass.kubernetes.io/is-default-class': String(index === 0) },
  },
  provisioner,
  parameters: { pathPattern },
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
}));

/** Of `v1`, what is read. */
export interface Claim {
  metadata: { namespace: string; name: string; uid: string; deletionTimestamp?: string };
  spec: {
    storageClassName?: string;
    volumeName?: string;
    accessModes: string[];
    resources: { requests: { storage: string } };
  };
}

/** Of `v1`, what is written and read. */
export interface Volume {
  metadata: { name: string; annotations?: Record<string, string> };
  spec: { persistentVolumeReclaimPolicy: string; hostPath?: { path: string } };
  status?: { phase?: string };
}

/** What is missing: a volume for each claim that waits for one of ours. */
export function volumesToMake(claims: Claim[], volumes: Volume[], folder: string): Volume[] {
  const made = new Set(volumes.map(({ metadata }) => metadata.name));
  return claims
    .filter(({ metadata, spec }) => !metadata.deletionTimestamp && !spec.volumeName)
    .flatMap((claim) => volumeFor(claim, folder))
    .filter(({ metadata }) => !made.has(metadata.name));
}

/** What nobody needs any more, each with whether its folder goes as well: not while another volume has it. */
export function volumesToRemove(volumes: Volume[]): { volume: Volume; withFolder: boolean }[] {
  const own = volumes.filter(
    ({ metadata }) => metadata.annotations?.[provisionedBy] === provisioner,
  );
  const released = own.filter(
    ({ spec, status }) =>
      spec.persistentVolumeReclaimPolicy === 'Delete' && status?.phase === 'Released',
  );
  const kept = own.filter((volume) => !released.includes(volume));
  return released.map((volume) => ({
    volume,
    withFolder: !kept.some(({ spec }) => spec.hostPath?.path === volume.spec.hostPath?.path),
  }));
}

function volumeFor({ metadata, spec }: Claim, folder: string): Volume[] {
  const { namespace, name, uid } = metadata;
  const { storageClassName = '', accessModes, resources } = spec;
  const pattern = pathPatterns[storageClassName];
  if (pattern === undefined) return [];
  const path = pattern.replace('${.PVC.namespace}', namespace).replace('${.PVC.name}', name);
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pvc-${uid}`, annotations: { [provisionedBy]: provisioner } },
    spec: {
      storageClassName,
      accessModes,
      capacity: { storage: resources.requests.storage },
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path: join(folder, path), type: 'Directory' },
    },
  };
  return [volume];
}
