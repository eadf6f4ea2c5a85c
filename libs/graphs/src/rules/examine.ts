import type { ChartSource } from '../chart/chart-source.js';
import type { ClusterView } from '../cluster-view.js';
import type { Verdict } from '../verdict.js';
import type { ReportFault } from './admit.js';
import type { Subject } from './subject.js';

export interface Examination {
  verdict: Verdict;
  /** Mount path of each volume and repository edge, by component and edge name; complete where there is no error. */
  mounts: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** What the charts of each component declare. */
  infra: ReadonlyMap<string, { provides: readonly string[]; requires: readonly string[] }>;
}

/** Every rule. Never rejects: a fault of a rule is the finding INTERNAL. */
export function examine(
  _subject: Subject,
  _cluster: ClusterView,
  _charts: ChartSource,
  _report?: ReportFault,
): Promise<Examination> {
  throw new Error('not yet');
}
