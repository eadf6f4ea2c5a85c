import { admit, type Manifest } from '@glacis/graphs';
import { keyOf } from '@glacis/kube';
import { brokenReleases } from './broken-releases.js';
import { examined, faultsIn, install } from './deploy.js';
import { finishRestart } from './component-steps.js';
import { recordedProvisions, registerInfra } from './infra.js';
import { leftovers } from './recorded.js';
import { addGraphFinalizer } from './graph-finalizer.js';
import { ensureNamespace } from './namespaces.js';
import { planOf, type Plan, type PlannedPlace } from './plan.js';
import { knownMounts, recordedMounts } from './recorded-mounts.js';
import { fingerprintOf } from './releases.js';
import { ensureSecretCopies } from './secret-copies.js';
import { saveStatus } from './status.js';
import { ensureVolumes, removeReleasedVolumes, withCurrentSizes } from './volumes.js';
import type { Mounts, Work } from './work.js';

/**
 * Compares a deployed graph with what is there and mends what differs. Helm runs only where a release is lost, or
 * something that it had made.
 * @throws {Error} when a release could not be brought back
 */
export async function correctDrift(work: Work): Promise<void> {
  work.graph = await addGraphFinalizer(work.graphs, work.graph);
  const whole = planOf(work, recordedMounts(work) ?? (await examinedMounts(work)));
  const broken = await brokenReleases(work, whole);
  const isBroken = ({ name }: PlannedPlace): boolean =>
    [...broken].some((release) => release.startsWith(`${name}/`));
  const mended = await mend(
    work,
    [...whole.flows, ...whole.components].filter((p) => !isBroken(p)),
  );
  if (await registerInfra(work, recordedProvisions(work), 'deployed')) mended.push('RampartInfra');
  tellMended(work, mended);
  const damaged: Plan = {
    ...whole,
    components: whole.components.filter(isBroken),
    flows: whole.flows.filter(isBroken),
  };
  const errors = await reinstall(work, damaged, broken);
  const volumes = await ensureVolumes(work, whole);
  await removeReleasedVolumes(work);
  await finishRestarts(work, whole);
  await saveStatus(work, {
    phase: 'Deployed',
    observed: true,
    flowFaults: volumes.faults,
    componentFaults: errors.components,
    leftovers: leftovers(work),
  });
  if (errors.errors.length > 0) throw new Error(errors.errors.join('; '));
}

/**
 * Mends what a graph that has failed has already as it is asked for: places whose rendered release is installed and of the
 * same objects. Whatever differs is for the next attempt.
 */
export async function mendStanding(work: Work): Promise<void> {
  const { id, graph, cluster, report } = work;
  // Of a graph that breaks the rules nothing can be rendered.
  if (admit({ ...id, spec: graph.spec }, cluster, report).errors.length > 0) return;
  const mounts = knownMounts(work);
  const known = Object.entries(graph.spec.graph.components).filter(([name]) => mounts.has(name));
  const components = Object.fromEntries(known);
  const spec = { ...graph.spec, graph: { ...graph.spec.graph, components } };
  const { flows, components: planned } = planOf({ ...work, graph: { ...graph, spec } }, mounts);
  const standing = [
    ...flows.filter((place) => stands(work, place, `flows-${place.type}`)),
    ...planned.filter((place) => stands(work, place, 'edges')),
  ];
  tellMended(work, await mend(work, standing));
}

function stands({ cache }: Work, { name, objects }: PlannedPlace, release: string): boolean {
  const there = cache.release(name, release);
  return there?.status === 'deployed' && there.fingerprint === fingerprintOf(objects);
}

function tellMended(work: Work, mended: readonly string[]): void {
  if (mended.length > 0) work.tell('DriftCorrected', `brought back: ${mended.join(', ')}`);
}

type Faults = ReturnType<typeof faultsIn>;

async function reinstall(work: Work, damaged: Plan, broken: ReadonlySet<string>): Promise<Faults> {
  if (broken.size === 0) return { errors: [], components: new Map(), flows: new Map() };
  const faults = faultsIn(damaged, await install(work, damaged, broken));
  const mended = [...broken].join(', ');
  if (faults.errors.length === 0) work.tell('DriftCorrected', `installed again: ${mended}`);
  return faults;
}

/** An upgrade notes first that pods have to be replaced; the note may have been seen too late to be heeded then. */
async function finishRestarts(work: Work, { components }: Plan): Promise<void> {
  for (const { name } of components) await finishRestart(work, name);
}

/** What the operator has rendered, object by object. @returns what was not as it should be */
async function mend(work: Work, places: readonly PlannedPlace[]): Promise<string[]> {
  const mended: string[] = [];
  const note = (changed: boolean, what: string): unknown => changed && mended.push(what);
  for (const place of places) {
    note(await ensureNamespace(work, place.namespace), `Namespace ${place.name}`);
    if (place.secrets.length > 0) {
      note(await ensureSecretCopies(work, place), `Secrets in ${place.name}`);
    }
    for (const object of withCurrentSizes(work, place.objects)) {
      note(await mendObject(work, object), `${object.kind} ${keyOf(named(object))}`);
    }
  }
  return mended;
}

/** Whatever is about to go is made again when it is gone. */
async function mendObject(work: Work, object: Manifest): Promise<boolean> {
  const there = work.cache.find(object.kind, keyOf(named(object)));
  if (there?.metadata.deletionTimestamp !== undefined) return false;
  return work.memory.applied.ensure(work.server, object, there);
}

const named = ({ metadata }: Manifest): { namespace?: string; name: string } => ({
  namespace: metadata.namespace,
  name: metadata.name ?? '',
});

/** A lost release took what it was told with it: the charts are asked again. */
async function examinedMounts(work: Work): Promise<Mounts> {
  const { verdict, mounts } = await examined(work);
  const [error] = verdict.errors;
  if (error) throw new Error(`the charts cannot be asked: ${error.message}`);
  return mounts;
}
