export * from './graph.js';
export * from './names.js';
export * from './marks.js';
export * from './verdict.js';
export type * from './cluster-view.js';
export { ClusterIndex, type ClusterIndexOptions } from './cluster-index.js';
export * from './chart/chart-source.js';
export * from './chart/repository.js';
export type { Subject } from './rules/subject.js';
export { admit, type ReportFault } from './rules/admit.js';
export { examine, type ComponentInfra, type Examination } from './rules/examine.js';
export { GRAPH_SCHEMA } from './schema/graph-schema.js';
export { hashOf } from './hash.js';
export {
  diffOf,
  type ChangedItem,
  type DiffOptions,
  type GraphDiff,
  type NameDiff,
  type PatchOperation,
} from './diff.js';
export * from './render/index.js';
export * from './resources.js';
export {
  validateReview,
  type GraphRefusal,
  type GraphRequest,
  type GraphResponse,
} from './reviews/graph-review.js';
export { convertGraph } from './reviews/graph-conversion.js';
export { claimsOf, GPU, mutatePod, type PodFacts } from './reviews/pod-mutation.js';
export { choosePreset } from './reviews/preset-choice.js';
export { labelRoute } from './reviews/route-label.js';
