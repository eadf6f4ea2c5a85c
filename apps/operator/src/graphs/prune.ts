import { leftovers } from './recorded.js';
import type { Plan, PlannedComponent } from './plan.js';
import {
  componentOfNamespace,
  dependantsFirst,
  flowTypeOf,
  ownNamespaces,
  removeComponent,
  removeFlows,
  uninstall,
} from './teardown.js';
import { removeUnusedClaims } from './volumes.js';
import type { Work } from './work.js';

/** Removes what the graph no longer asks for: components, their aux charts, flows with their data, topics (4.10). */
export async function prune(work: Work, plan: Plan): Promise<void> {
  const wanted = new Set([...plan.components, ...plan.flows].map(({ name }) => name));
  const left = ownNamespaces(work).filter(({ metadata }) => !wanted.has(metadata.name));
  const components = left.filter((place) => componentOfNamespace(place) !== undefined);
  for (const round of dependantsFirst(components)) {
    const kept = await Promise.all(
      round.map((place) => removeComponent(work, place, { whole: false })),
    );
    for (const why of kept) if (why !== undefined) work.say('Teardown', why);
  }
  const flows = left.filter((place) => flowTypeOf(place) !== undefined);
  await Promise.all(flows.map((place) => removeFlows(work, place)));
  const places = plan.components.filter((each) => hasUnusedAux(work, each));
  await Promise.all(places.map(({ name }) => uninstall(work, name, ['auth-aux'])));
  const claims = await removeUnusedClaims(work, plan);
  const topics = leftovers(work);
  for (const { type, resource } of topics) await removeTopic(work, type, resource);
  const names = [
    ...left.map(({ metadata }) => metadata.name),
    ...places.map(({ name }) => `auth-aux in ${name}`),
    ...claims,
    ...topics.map(({ name }) => name),
  ];
  if (names.length > 0) work.tell('Pruned', `no longer asked for and removed: ${names.join(', ')}`);
}

const hasUnusedAux = ({ cache }: Work, { name, spec }: PlannedComponent): boolean =>
  spec.ingressNeeded !== true && cache.release(name, 'auth-aux') !== undefined;

/** @param resource as the status has recorded it */
export async function removeTopic(work: Work, type: string, resource = ''): Promise<void> {
  if (type === 'kafka' || type === 'pulsar') await work.topics[type].remove(resource);
}
