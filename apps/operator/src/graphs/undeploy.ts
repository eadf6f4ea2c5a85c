import { keyOf } from '@glacis/kube';
import { addGraphFinalizer, dropGraphFinalizer } from './graph-finalizer.js';
import type { Ending } from './deploy.js';
import { failedAttempts, leftovers } from './recorded.js';
import { emptyInfra } from './infra.js';
import { removeTopic } from './prune.js';
import { saveStatus } from './status.js';
import {
  componentOfNamespace,
  dependantsFirst,
  flowTypeOf,
  ownNamespaces,
  removeComponent,
  removeFlows,
  stopFlows,
  type Removal,
} from './teardown.js';
import { removeReleasedVolumes } from './volumes.js';
import type { Work } from './work.js';

/** Takes a graph down and keeps its data (4.10). */
export async function undeploy(work: Work): Promise<Ending> {
  work.graph = await addGraphFinalizer(work.graphs, work.graph);
  if (work.graph.status?.phase !== 'Undeploying') {
    await saveStatus(work, {
      phase: 'Undeploying',
      working: true,
      attempts: failedAttempts(work),
      leftovers: leftovers(work),
    });
    work.say('Teardown', 'the graph is being undeployed');
  }
  await emptyInfra(work);
  const [kept] = await Promise.all([removeComponents(work, { whole: false }), stopAllFlows(work)]);
  await saveStatus(work, {
    phase: 'Undeployed',
    observed: true,
    endpointPaths: '{}',
    componentFaults: kept,
    leftovers: leftovers(work),
  });
  work.tell('Undeployed', ['the graph is undeployed', ...kept.values()].join('; '));
  return 'done';
}

/** What could not go before goes now, such as a Namespace that held claims of others. */
export async function stayUndeployed(work: Work): Promise<void> {
  await emptyInfra(work);
  const kept = await removeComponents(work, { whole: false });
  await removeReleasedVolumes(work);
  await saveStatus(work, {
    phase: 'Undeployed',
    observed: true,
    componentFaults: kept,
    leftovers: leftovers(work),
  });
}

/** Takes a graph down for good and lets it go. */
export async function remove(work: Work): Promise<Ending> {
  if (work.graph.status?.phase !== 'Deleting') {
    await saveStatus(work, { phase: 'Deleting', working: true, leftovers: leftovers(work) });
    work.say('Teardown', 'the graph is being deleted');
  }
  await removeAll(work);
  const types = new Set(topicsOf(work).map(({ type }) => type));
  for (const { type, resource } of topicsOf(work)) await removeTopic(work, type, resource);
  if (types.has('pulsar')) await work.topics.pulsar.removeAll(work.id);
  await dropGraphFinalizer(work.graphs, work.graph);
  await work.folder.remove();
  work.say('Teardown', 'the graph is deleted');
  return 'done';
}

/** Takes down whatever carries the labels of the graph's uid, also where the graph itself is gone. */
export async function removeAll(work: Work): Promise<void> {
  await removeComponents(work, { whole: true });
  const flows = ownNamespaces(work).filter((place) => flowTypeOf(place) !== undefined);
  await Promise.all(flows.map((place) => removeFlows(work, place)));
  await removeReleasedVolumes(work);
}

/** @returns why Namespaces were kept, by component */
async function removeComponents(work: Work, removal: Removal): Promise<Map<string, string>> {
  const kept = new Map<string, string>();
  const places = ownNamespaces(work).filter((place) => componentOfNamespace(place) !== undefined);
  for (const round of dependantsFirst(places)) {
    await Promise.all(
      round.map(async (place) => {
        const why = await removeComponent(work, place, removal);
        if (why !== undefined) kept.set(componentOfNamespace(place) ?? keyOf(place.metadata), why);
      }),
    );
  }
  return kept;
}

async function stopAllFlows(work: Work): Promise<void> {
  const flows = ownNamespaces(work).filter((place) => flowTypeOf(place) !== undefined);
  await Promise.all(flows.map((place) => stopFlows(work, place)));
}

/** As the status has recorded them. */
const topicsOf = ({ graph }: Work): NonNullable<NonNullable<Work['graph']['status']>['flows']> =>
  (graph.status?.flows ?? []).filter(({ resource }) => resource !== undefined);
