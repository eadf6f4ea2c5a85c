import type { ClusterView } from '../cluster-view.js';
import type { Verdict } from '../verdict.js';
import type { Subject } from './subject.js';

/** Writes an unexpected fault of a checker to the log and returns the correlation id that it has there. */
export type ReportFault = (error: unknown) => string;

/** Every rule that needs no chart. Never throws: a fault of a rule is the finding INTERNAL. */
export function admit(_subject: Subject, _cluster: ClusterView, _report?: ReportFault): Verdict {
  throw new Error('not yet');
}
