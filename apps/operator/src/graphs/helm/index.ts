export { ChartArchives } from './chart-archives.js';
export { ChartLibrary, type ChartLibraryOptions } from './chart-library.js';
export { ClusterObjects, objectsOf, type AnyObject, type AnyRef } from './cluster-objects.js';
export { removeLeftovers } from './leftovers.js';
export { Helm, type Install, type Installed, type ReleaseName } from './helm.js';
export { HelmError, type HelmErrorCode } from './helm-error.js';
export {
  isLocked,
  lastGood,
  releaseSelector,
  releasesOf,
  type Release,
  type ReleaseDetails,
  type ReleaseSecret,
  type ReleaseStatus,
  type Revision,
} from './releases.js';
export { Launcher } from './launcher.js';
export { digestOf, renderedChart, type RenderedChart } from './rendered-chart.js';
export type { HelmOptions, HelmRun } from './run-helm.js';
export { WorkFolder } from './work-folder.js';
