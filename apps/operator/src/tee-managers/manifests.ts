import { builtIns, ownedBy, type Draft, type ResourceType } from '@glacis/kube';
import { missingDevice, nodeSelectorOf, withDevice } from './device-request.js';
import {
  httpPort,
  managerEnvironment,
  stateFolder,
  temporaryFolder,
  tlsFolder,
} from './manager-environment.js';
import { notes, ownLabels, wishes, type TeeManager } from './tee-manager.js';
import { files, secretName } from './tls-secret.js';

type TypeOf<R> = R extends ResourceType<infer T> ? T : never;
export type StatefulSet = TypeOf<(typeof builtIns)['statefulSets']>;
export type Service = TypeOf<(typeof builtIns)['services']>;
export type Pod = TypeOf<(typeof builtIns)['pods']>;

export interface Workload {
  /** 0: it is not to run. */
  replicas: 0 | 1;
  /** Of the certificate in the Secret: another one has the Pod replaced. */
  serial: string;
  image: string;
  managerUrl: string;
  /** A node that the Pod may run on has the device of its TEE. */
  deviceOffered: boolean;
}

const container = 'manager';
/** That of the image. */
const user = 65_532;
/** The manager takes 30 s at most to clean up. */
const graceSeconds = 35;

const selectorOf = (manager: TeeManager): Record<string, string> => ({
  'app.kubernetes.io/name': 'glacis-manager',
  'app.kubernetes.io/instance': manager.metadata.name,
});

function metadataOf(manager: TeeManager): Draft<Service>['metadata'] {
  const { name, namespace } = manager.metadata;
  const labels = { ...selectorOf(manager), ...ownLabels };
  return { name, namespace, labels, ownerReferences: [ownedBy(manager)] };
}

/** Gives the Pod its name in DNS, ready or not. */
export function serviceOf(manager: TeeManager): Draft<Service> {
  return {
    metadata: metadataOf(manager),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorOf(manager),
      ports: [{ name: 'http', port: httpPort, targetPort: 'http', protocol: 'TCP' }],
    },
  };
}

/** One manager, as Pod Security `restricted` has it. */
export function statefulSetOf(manager: TeeManager, workload: Workload): Draft<StatefulSet> {
  const { name } = manager.metadata;
  const { nodeSelector, tolerations, runtimeClassName } = podPlace(manager);
  const restart = manager.metadata.annotations?.[wishes.restart];
  return {
    metadata: metadataOf(manager),
    spec: {
      replicas: workload.replicas,
      serviceName: name,
      // Else a Pod that does not get ready is never replaced by a newer template.
      podManagementPolicy: 'Parallel',
      revisionHistoryLimit: 2,
      selector: { matchLabels: selectorOf(manager) },
      template: {
        metadata: {
          labels: { ...selectorOf(manager), ...ownLabels },
          annotations: {
            [notes.serial]: workload.serial,
            ...(restart !== undefined && { [notes.restart]: restart }),
          },
        },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: graceSeconds,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: user,
            runAsGroup: user,
            fsGroup: user,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          ...(nodeSelector && { nodeSelector }),
          ...(tolerations && { tolerations }),
          ...(runtimeClassName !== undefined && { runtimeClassName }),
          containers: [containerOf(manager, workload)],
          volumes: volumesOf(manager),
        },
      },
    },
  };
}

function podPlace({
  spec,
}: TeeManager): Pick<TeeManager['spec'], 'nodeSelector' | 'tolerations' | 'runtimeClassName'> {
  const nodeSelector = nodeSelectorOf(spec);
  const { tolerations, runtimeClassName } = spec;
  const selects = Object.keys(nodeSelector).length > 0;
  return { tolerations, runtimeClassName, ...(selects && { nodeSelector }) };
}

type PodSpec = NonNullable<NonNullable<Pod['spec']>>;

const probe = (path: string): object => ({ httpGet: { path, port: 'http' }, timeoutSeconds: 5 });

function containerOf({ spec }: TeeManager, workload: Workload): PodSpec['containers'][number] {
  const device = workload.deviceOffered ? missingDevice(spec) : undefined;
  const resources = withDevice(spec.resources, device);
  return {
    name: container,
    image: spec.image ?? workload.image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', 'apps/manager/dist/main.js'],
    env: managerEnvironment(spec, workload.managerUrl),
    ...(resources && { resources }),
    ports: [{ name: 'http', containerPort: httpPort, protocol: 'TCP' }],
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
    startupProbe: { ...probe('/livez'), periodSeconds: 1, failureThreshold: 120 },
    livenessProbe: { ...probe('/livez'), periodSeconds: 10 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 2, failureThreshold: 1 },
    volumeMounts: [
      { name: 'tls', mountPath: tlsFolder, readOnly: true },
      { name: 'state', mountPath: stateFolder },
      { name: 'tmp', mountPath: temporaryFolder },
    ],
  };
}

function volumesOf({ metadata }: TeeManager): PodSpec['volumes'] {
  const inPod = [files.roots, files.certificate, files.key];
  return [
    {
      name: 'tls',
      secret: {
        secretName: secretName(metadata.name),
        defaultMode: 0o440,
        items: inPod.map((file) => ({ key: file, path: file })),
      },
    },
    { name: 'state', emptyDir: {} },
    { name: 'tmp', emptyDir: {} },
  ];
}
