/** The order of the rules: stages run one after another, and one that finds an error ends the run (3.1). */
import type { ClusterView } from '../cluster-view.js';
import { compareText } from '../text.js';
import type { Finding } from '../verdict.js';
import { componentFindings } from './components.js';
import type { Facts } from './facts.js';
import { flowFindings } from './flows.js';
import { infraConflict, infraMissing } from './infra.js';
import { nameDup } from './names.js';
import { graphName, namespaceDup, namespaceExists, namespaceLength } from './namespaces.js';
import { needsCycle, needsSelf, needsUnknown } from './needs.js';
import { busy, nameMissing, namespaceMissing, schema, type Subject } from './subject.js';

/** Stages 0 and 1, after which the subject is known to be a graph. */
export function openingErrors(subject: Subject, cluster: ClusterView): Finding[] {
  const stage0 = [...nameMissing(subject), ...namespaceMissing(subject), ...busy(cluster)];
  return stage0.length > 0 ? settled(stage0) : settled(schema(subject));
}

type Stage = (facts: Facts) => Iterable<Finding>;

const STAGE_2: Stage = stage(
  graphName,
  namespaceLength,
  namespaceExists,
  needsUnknown,
  needsSelf,
  needsCycle,
);
const STAGE_3: Stage = componentFindings;
const STAGE_4: Stage = function* (facts) {
  for (const [name, flow] of Object.entries(facts.graph.flows)) {
    yield* flowFindings(facts, name, flow);
  }
};
const STAGE_5: Stage = stage(namespaceDup, nameDup, infraConflict, infraMissing);

/** Stages that need no charts, and those that look at them where the facts have them. */
export const WITHOUT_CHARTS: readonly Stage[] = [STAGE_2];
export const WITH_CHARTS: readonly Stage[] = [STAGE_3, STAGE_4, STAGE_5];

/** Errors of the first stage that finds any. */
export function firstErrors(stages: readonly Stage[], facts: Facts): Finding[] {
  for (const each of stages) {
    const errors = settled(each(facts));
    if (errors.length > 0) return errors;
  }
  return [];
}

function stage(...rules: readonly Stage[]): Stage {
  return function* (facts) {
    for (const rule of rules) yield* rule(facts);
  };
}

/** A graph of some megabytes must not become a reply of gigabytes. */
const MOST_ERRORS = 500;
const MOST_TEXT = 256 * 1024;
const LONGEST_TEXT = 1000;

/** Each once, sorted by path, within bounds. */
function settled(findings: Iterable<Finding>): Finding[] {
  const errors = new Map<string, Finding>();
  let room = MOST_TEXT;
  for (const { code, path, message } of findings) {
    const error = {
      code,
      path: path.slice(0, LONGEST_TEXT),
      message: message.slice(0, LONGEST_TEXT),
    };
    errors.set([error.path, code, error.message].join('\n'), error);
    room -= path.length + message.length;
    if (errors.size === MOST_ERRORS || room < 0) break;
  }
  return [...errors].toSorted(([a], [b]) => compareText(a, b)).map(([, error]) => error);
}
