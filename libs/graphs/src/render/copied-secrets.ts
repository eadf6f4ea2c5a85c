import { flowsIn } from './claims.js';
import { byText, type Place } from './places.js';
import { repositoryOf } from './repository-flow.js';
import type { RenderSubject } from './subject.js';

/** Names of the Secrets of the graph's Namespace that a place needs copies of (4.4), each once and in order. */
export function copiedSecrets(subject: RenderSubject, place: Place): string[] {
  const names = flowsIn(subject, place).flatMap((flow) => {
    const facts = repositoryOf(subject, flow);
    // The flow service does not read what dvc stores.
    return [facts?.gitSecret, 'component' in place ? facts?.dvcSecret : undefined];
  });
  const needed = names.filter((name) => name !== undefined);
  return [...new Set(needed)].toSorted(byText);
}
