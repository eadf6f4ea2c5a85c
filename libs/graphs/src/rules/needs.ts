import { pointer } from '../json.js';
import type { Finding } from '../verdict.js';
import { COMPONENTS, type Facts } from './facts.js';

export function* needsUnknown({ graph: { components } }: Facts): Generator<Finding> {
  for (const [name, { needs = [] }] of Object.entries(components)) {
    for (const [index, need] of needs.entries()) {
      if (Object.hasOwn(components, need)) continue;
      const message = `${need} is no component of the graph`;
      yield { code: 'NEEDS_UNKNOWN', path: pointer(COMPONENTS, name, 'needs', index), message };
    }
  }
}

export function* needsSelf({ graph: { components } }: Facts): Generator<Finding> {
  for (const [name, { needs = [] }] of Object.entries(components)) {
    const index = needs.indexOf(name);
    if (index < 0) continue;
    const message = 'a component cannot wait for itself';
    yield { code: 'NEEDS_SELF', path: pointer(COMPONENTS, name, 'needs', index), message };
  }
}

/** At least one cycle of each group of components that wait for one another, no component in two of them. */
export function* needsCycle({ graph: { components } }: Facts): Generator<Finding> {
  const stuck = neverStarting(
    new Map(
      Object.entries(components).map(([name, { needs = [] }]) => [
        name,
        needs.filter((need) => need !== name && Object.hasOwn(components, need)),
      ]),
    ),
  );
  for (const cycle of cyclesIn(stuck)) {
    const path = pointer(COMPONENTS, cycle[0] ?? '', 'needs');
    const message = `components wait for one another: ${[...cycle, cycle[0]].join(' -> ')}`;
    yield { code: 'NEEDS_CYCLE', path, message };
  }
}

/** Takes away what can start once its needs have; leaves, of each component that cannot, one need that cannot. */
function neverStarting(needs: Map<string, string[]>): Map<string, string> {
  const waiting = new Map([...needs].map(([name, its]) => [name, its.length]));
  const dependants = new Map([...needs.keys()].map((name) => [name, [] as string[]]));
  for (const [name, its] of needs) for (const need of its) dependants.get(need)?.push(name);
  const startable = [...waiting.keys()].filter((name) => waiting.get(name) === 0);
  for (const started of startable) {
    waiting.delete(started);
    for (const name of dependants.get(started) ?? []) {
      const left = (waiting.get(name) ?? 0) - 1;
      waiting.set(name, left);
      if (left === 0) startable.push(name);
    }
  }
  return new Map(
    [...waiting.keys()].map((name) => [
      name,
      needs.get(name)?.find((need) => waiting.has(need)) ?? name,
    ]),
  );
}

/** Cycles of a map that leads from each of its keys to another one. */
function* cyclesIn(next: ReadonlyMap<string, string>): Generator<string[]> {
  const seen = new Set<string>();
  for (const start of next.keys()) {
    const walked: string[] = [];
    let at = start;
    for (; !seen.has(at); at = next.get(at) ?? start) {
      seen.add(at);
      walked.push(at);
    }
    const from = walked.indexOf(at);
    if (from >= 0) yield walked.slice(from);
  }
}
