import type { ChartSource } from '../chart/chart-source.js';
import type { ClusterView } from '../cluster-view.js';
import type { Finding, Verdict } from '../verdict.js';
import { factsOf, internal, type ReportFault } from './admit.js';
import { readCharts } from './charts.js';
import { edgesOf } from './edges.js';
import type { ChartFacts, Facts } from './facts.js';
import { infraOf } from './infra.js';
import { allMounts } from './mounts.js';
import { firstErrors, openingErrors, WITH_CHARTS, WITHOUT_CHARTS } from './pipeline.js';
import type { Subject } from './subject.js';
import { warningsOf } from './warnings.js';

export interface Examination {
  verdict: Verdict;
  /** Mount path of each volume and repository edge, by component and edge name. Empty where there are errors. */
  mounts: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** What the charts of each component declare. Empty where there are errors. */
  infra: ReadonlyMap<string, ComponentInfra>;
}

export interface ComponentInfra {
  provides: readonly string[];
  requires: readonly string[];
}

/**
 * Every rule, for the operator. Never rejects: a fault of a rule is the finding INTERNAL, with the correlation id that
 * `report` gives.
 */
export async function examine(
  subject: Subject,
  cluster: ClusterView,
  charts: ChartSource,
  report: ReportFault,
): Promise<Examination> {
  try {
    const opening = openingErrors(subject, cluster);
    if (opening.length > 0) return refused({ errors: opening, warnings: [] });
    return await examineGraph({ ...factsOf(subject, cluster), inOperator: true }, charts);
  } catch (error) {
    return refused(internal(report(error)));
  }
}

async function examineGraph(facts: Facts, source: ChartSource): Promise<Examination> {
  const early = firstErrors(WITHOUT_CHARTS, facts);
  if (early.length > 0) return refused(verdictOf(facts, early));
  const charts = await readCharts(facts, source);
  const errors = firstErrors(WITH_CHARTS, { ...facts, charts });
  const verdict = verdictOf(facts, errors);
  if (errors.length > 0) return refused(verdict);
  return { verdict, mounts: mountsOf(facts, charts), infra: infraByComponent(facts, charts) };
}

function verdictOf({ graph }: Facts, errors: Finding[]): Verdict {
  return { errors, warnings: warningsOf(graph) };
}

function refused(verdict: Verdict): Examination {
  return { verdict, mounts: new Map(), infra: new Map() };
}

function mountsOf({ graph }: Facts, { declarations }: ChartFacts): Examination['mounts'] {
  return new Map(
    Object.entries(graph.components).map(([name, component]) => {
      const mounts = allMounts(edgesOf(component, name), declarations.get(name)?.[0]);
      return [name, new Map(mounts.map(({ edge, mountPath }) => [edge, mountPath]))];
    }),
  );
}

function infraByComponent({ graph }: Facts, charts: ChartFacts): Examination['infra'] {
  return new Map(Object.keys(graph.components).map((name) => [name, infraOf(charts, name)]));
}
