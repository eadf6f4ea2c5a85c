import { pointer } from '../json.js';
import type { Finding } from '../verdict.js';
import { COMPONENTS, type ChartFacts, type Facts } from './facts.js';
import { heldElsewhere } from './precedence.js';

/** What the charts of a component declare, its own chart's first. */
export function infraOf(charts: ChartFacts, component: string): Record<Direction, string[]> {
  const declarations = charts.declarations.get(component) ?? [];
  return {
    provides: [...new Set(declarations.flatMap(({ provides = [] }) => provides))],
    requires: [...new Set(declarations.flatMap(({ requires = [] }) => requires))],
  };
}

type Direction = 'provides' | 'requires';

export function* infraConflict(facts: Facts): Generator<Finding> {
  for (const { component, infra } of declared(facts, 'provides')) {
    if (!heldElsewhere(facts, [...facts.cluster.providersOf(infra)])) continue;
    const message = `its chart provides ${infra}, which another graph provides already`;
    yield { code: 'INFRA_CONFLICT', path: pointer(COMPONENTS, component, 'chart'), message };
  }
}

export function* infraMissing(facts: Facts): Generator<Finding> {
  const provided = new Set(declared(facts, 'provides').map(({ infra }) => infra));
  for (const { component, infra } of declared(facts, 'requires')) {
    if (provided.has(infra) || [...facts.cluster.providersOf(infra)].length > 0) continue;
    const message = `its chart requires ${infra}, which neither this graph nor another provides`;
    yield { code: 'INFRA_MISSING', path: pointer(COMPONENTS, component, 'chart'), message };
  }
}

function declared(facts: Facts, direction: Direction): { component: string; infra: string }[] {
  const { charts, graph } = facts;
  if (!charts) return [];
  return Object.keys(graph.components).flatMap((component) =>
    infraOf(charts, component)[direction].map((infra) => ({ component, infra })),
  );
}
