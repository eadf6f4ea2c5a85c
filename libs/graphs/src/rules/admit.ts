import type { ClusterView } from '../cluster-view.js';
import type { Verdict } from '../verdict.js';
import type { Facts } from './facts.js';
import { firstErrors, openingErrors, WITH_CHARTS, WITHOUT_CHARTS } from './pipeline.js';
import { graphOf, nameOf, type Subject } from './subject.js';
import { warningsOf } from './warnings.js';

/** Writes an unexpected fault of a checker to the log and returns the correlation id that it has there. */
export type ReportFault = (error: unknown) => string;

/**
 * Every rule that needs no chart (those marked A). Never throws: a fault of a rule is the finding INTERNAL, with the
 * correlation id that `report` gives.
 */
export function admit(subject: Subject, cluster: ClusterView, report: ReportFault): Verdict {
  try {
    const opening = openingErrors(subject, cluster);
    if (opening.length > 0) return { errors: opening, warnings: [] };
    const facts = factsOf(subject, cluster);
    const errors = firstErrors([...WITHOUT_CHARTS, ...WITH_CHARTS], facts);
    return { errors, warnings: warningsOf(facts.graph) };
  } catch (error) {
    return internal(report(error));
  }
}

export function factsOf(subject: Subject, cluster: ClusterView): Facts {
  const { uid } = subject;
  const name = nameOf(subject);
  const graph = graphOf(subject);
  return { name, nameless: !subject.name, uid, graph, cluster, inOperator: false };
}

export function internal(correlation: string): Verdict {
  const message = `a checker failed unexpectedly; the log has the cause under ${correlation}`;
  return { errors: [{ code: 'INTERNAL', path: '', message }], warnings: [] };
}
