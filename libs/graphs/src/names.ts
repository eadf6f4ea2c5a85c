/** Names that follow from those of a graph, its components, flows and edges (graph-apps.md 1.1 and 1.3). */
import { createHash } from 'node:crypto';
import type { GraphName, MountedType } from './graph.js';

/** As cluster objects and titles carry it: `_` becomes `-`. */
export function kubernetesView(name: string): string {
  return name.replaceAll('_', '-');
}

/** As environment variables, `edges.yaml` and default mount paths carry it: `-` becomes `_`. */
export function rampartView(name: string): string {
  return name.replaceAll('-', '_');
}

/** Of the App that a graph is the deployed form of; unique because names in a cluster hold no underscore. */
export function appId({ namespace, name }: GraphName): string {
  return `${namespace}_${name}`;
}

/** `explicit` is the component's own `namespace`, if it has one. */
export function componentNamespace(graph: GraphName, component: string, explicit?: string): string {
  return explicit ?? kubernetesView(`${graph.namespace}-${graph.name}-${component}`);
}

/** Made only where a graph has a flow of the type. */
export function flowNamespace(graph: GraphName, type: MountedType): string {
  return kubernetesView(`${graph.namespace}-${graph.name}-rampart-flows-${type}`);
}

/** Of a volume or repository flow, the same in its flow Namespace and in those of the components that use it. */
export function claimName(graph: GraphName, flow: string): string {
  return kubernetesView(`${graph.namespace}-${graph.name}-${flow}`);
}

/** `rampart/NS_G`. */
export function pulsarNamespace(graph: GraphName): string {
  return `rampart/${appId(graph)}`;
}

/** `rampart/NS_G/F`. */
export function pulsarTopic(graph: GraphName, flow: string): string {
  return `${pulsarNamespace(graph)}/${flow}`;
}

/** `NS_G.F`. */
export function kafkaTopic(graph: GraphName, flow: string): string {
  return `${appId(graph)}.${flow}`;
}

/** Of the flow Service of a type, port 8000. */
export function flowServiceHost(graph: GraphName, type: MountedType): string {
  return `flows-${type}-flows-service.${flowNamespace(graph, type)}.svc.cluster.local`;
}

/** Of the Service that answers for the edges of a component, port 8000. */
export function livenessHost(namespace: string): string {
  return `edges-volume-liveness-service.${namespace}.svc.cluster.local`;
}

/** `/NS/G/C`. */
export function urlPrefix(graph: GraphName, component: string): string {
  return `/${[graph.namespace, graph.name, component].map(kubernetesView).join('/')}`;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A name within a pod (volume, container), which must be a DNS label: legal text is kept, other text shortened. */
export function podName(text: string): string {
  return DNS_LABEL.test(text) ? text : shortened(text);
}

/** Text as the value of a label: kept up to 63 characters, else shortened. */
export function labelValue(text: string): string {
  return text.length <= 63 ? text : shortened(text);
}

/** A readable beginning and what tells it from others with the same one. */
function shortened(text: string): string {
  const start = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')
    .slice(0, 54)
    .replaceAll(/^-+|-+$/g, '');
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return start === '' ? digest : `${start}-${digest}`;
}
