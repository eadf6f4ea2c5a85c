import { metadataIn, type Place } from './places.js';
import { containerSecurity, podSecurity, scratch, type Mount, type Variable } from './pods.js';
import type { Manifest, RenderSubject } from './subject.js';

/** A Deployment of one pod and the Service before it, of the suite's own programs in Namespaces of a graph. */
export interface Workload {
  name: string;
  image: string;
  /** Absent: that of the image. */
  command?: string[];
  env?: Variable[];
  podLabels?: Record<string, string>;
  podAnnotations?: Record<string, string>;
  serviceLabels?: Record<string, string>;
  mounts: Mount[];
  volumes: object[];
  initContainers?: object[];
  imagePullSecrets: { name: string }[];
  /** Somebody in the pod reads Secrets of mode 0400. */
  readsSecrets: boolean;
}

const port = 8000;

export function workloadObjects(
  subject: RenderSubject,
  place: Place,
  workload: Workload,
): Manifest[] {
  const metadata = metadataIn(subject, place, workload.name);
  const selector = { 'app.kubernetes.io/name': workload.name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        revisionHistoryLimit: 2,
        selector: { matchLabels: selector },
        template: {
          metadata: {
            labels: { ...metadata.labels, ...selector, ...workload.podLabels },
            ...(workload.podAnnotations && { annotations: workload.podAnnotations }),
          },
          spec: podSpec(workload),
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels: { ...metadata.labels, ...workload.serviceLabels } },
      spec: { selector, ports: [{ name: 'http', port, targetPort: 'http', protocol: 'TCP' }] },
    },
  ];
}

function podSpec(workload: Workload): object {
  const { initContainers, imagePullSecrets } = workload;
  return {
    automountServiceAccountToken: false,
    securityContext: podSecurity({ secrets: workload.readsSecrets }),
    ...(imagePullSecrets.length > 0 && { imagePullSecrets }),
    ...(initContainers?.length && { initContainers }),
    containers: [
      {
        name: workload.name,
        image: workload.image,
        ...(workload.command && { command: workload.command }),
        // git wants a home.
        env: [{ name: 'HOME', value: scratch.mount.mountPath }, ...(workload.env ?? [])],
        ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
        readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 2 },
        livenessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 10, failureThreshold: 6 },
        resources: { requests: { cpu: '5m', memory: '64Mi' } },
        securityContext: containerSecurity,
        volumeMounts: [...workload.mounts, scratch.mount],
      },
    ],
    volumes: [...workload.volumes, scratch.volume],
  };
}
