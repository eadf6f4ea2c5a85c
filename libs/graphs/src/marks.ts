/** Marks on objects of a cluster (graph-apps.md 1.4). */
import type { GraphName } from './graph.js';
import { labelValue } from './names.js';

/** On a graph: its teardown comes before it goes. */
export const FINALIZER = 'rampart.petuum.com/graph';

export const LABELS = {
  /** `true` on component and flow Namespaces, mutated Ingresses and ApisixRoutes. */
  controlled: 'controlled-by-rampart',
  graphNamespace: 'glacis.dev/graph-namespace',
  graph: 'glacis.dev/graph',
  graphUid: 'glacis.dev/graph-uid',
  component: 'glacis.dev/component',
  flowType: 'glacis.dev/flow-type',
  /** On a Pod, with any value: it gets no preset. */
  disableEdges: 'rampart-disable-edges',
  enableEdges: 'rampart-enable-edges',
  /** `true` on a graph: REST refuses to change it. */
  readOnly: 'rampart-graph-readonly',
} as const;

export const ANNOTATIONS = {
  /** On a graph: the version of the App that is deployed. */
  appVersion: 'glacis.dev/app-version',
  /** On a graph: carries `deploy: false` through v1beta1. */
  deploy: 'glacis.dev/deploy',
  /** In Chart.yaml: what the chart declares (3.3). */
  chart: 'petuum.com/rampartComponent',
  chartMetadata: 'petuum.com/rampartComponentMetadata',
} as const;

/** Labels of all objects of a graph outside its own Namespace; add `component` or `flowType`. */
export function ownershipLabels(graph: GraphName & { uid: string }): Record<string, string> {
  return {
    [LABELS.graphNamespace]: labelValue(graph.namespace),
    [LABELS.graph]: labelValue(graph.name),
    [LABELS.graphUid]: graph.uid,
  };
}
