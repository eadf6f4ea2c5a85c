import { auxValues, componentValues, type Chart, type Manifest } from '@glacis/graphs';
import { builtIns, isKubeError } from '@glacis/kube';
import { chartOf } from './chart-of.js';
import { renderedChart } from './helm/rendered-chart.js';
import { ensureNamespace } from './namespaces.js';
import { notes, type Plan, type PlannedComponent } from './plan.js';
import { ensureRelease, fingerprintOf, releasesBefore, type WantedRelease } from './releases.js';
import { restartWorkloads } from './restart.js';
import { ensureSecretCopies } from './secret-copies.js';
import type { Task } from './tasks.js';
import { retainEdgeVolumes, withCurrentSizes } from './volumes.js';
import { clientOf, type Work } from './work.js';

/** Releases that are to be installed also where they stand, as `namespace/release`: something of them is missing. */
export type Broken = ReadonlySet<string>;

/** Steps of a component: its Namespace, then the releases `edges` and `component`; the aux chart beside them (4.5). */
export function componentTasks(work: Work, plan: Plan, broken: Broken): Task[] {
  return plan.components.flatMap((planned) => {
    const { component, spec } = planned;
    const edges = [...Object.values(spec.inputs), ...Object.values(spec.outputs)];
    const flows = [...new Set(edges.map(({ flow }) => `flow ${flow}`))];
    const needs = (spec.needs ?? []).map((name) => `${name} component`);
    const step = (name: string, after: string[], run: () => Promise<unknown>): Task => ({
      id: `${component} ${name}`,
      subject: component,
      after,
      run: async () => void (await run()),
    });
    const place = step('place', [], () => preparePlace(work, planned));
    const install = (): Promise<unknown> => installComponent(work, plan, { planned, broken });
    return [
      place,
      step('edges', [place.id, ...flows], () => installEdges(work, planned, broken)),
      step('component', [`${component} edges`, ...needs], install),
      ...(spec.ingressNeeded === true
        ? [step('aux', [place.id, ...needs], () => installAux(work, plan, { planned, broken }))]
        : []),
    ];
  });
}

async function preparePlace(work: Work, planned: PlannedComponent): Promise<void> {
  await ensureNamespace(work, planned.namespace);
  await ensureSecretCopies(work, planned);
}

async function installEdges(work: Work, planned: PlannedComponent, broken: Broken): Promise<void> {
  const { name: namespace, objects } = planned;
  const fingerprint = fingerprintOf(objects);
  const live = await releasesBefore(work, namespace);
  const there = live.find(({ name }) => name === 'edges')?.record();
  if (there?.fingerprint !== fingerprint) {
    // Helm removes claims of a release that it knows alone.
    if (there) await retainEdgeVolumes(work, namespace);
    // Pods that run have the old preset. That they have to go is written down before they are of the past.
    if (live.some(({ name }) => name === 'component')) {
      await noteRestart(work, namespace, fingerprint);
    }
  }
  const wanted = renderedRelease(work, { namespace, release: 'edges', objects });
  const force = broken.has(`${namespace}/edges`);
  // Helm has just made it anew.
  if (await ensureRelease(work, wanted, { force, live })) return;
  for (const object of objects.filter(({ kind }) => kind === 'MutationPreset')) {
    const key = `${namespace}/${object.metadata.name}`;
    await work.memory.applied.ensure(work.server, object, work.cache.find(object.kind, key));
  }
}

interface Rendered {
  namespace: string;
  release: string;
  objects: Manifest[];
}

/** A release of objects that the operator renders. Claims keep the size that they have: only a patch can change it. */
export function renderedRelease(work: Work, rendered: Rendered): WantedRelease {
  const { namespace, release, objects } = rendered;
  const name =
    release === 'edges' ? `${work.id.name}_edges_helm` : `${work.id.name}_${release}_helm`;
  return {
    namespace,
    release,
    fingerprint: fingerprintOf(objects),
    chart: async () => renderedChart(work.folder, name, namespace, withCurrentSizes(work, objects)),
    values: {},
  };
}

interface Installing {
  planned: PlannedComponent;
  broken: Broken;
}

async function installComponent(work: Work, plan: Plan, installing: Installing): Promise<void> {
  const { component, name: namespace, spec } = installing.planned;
  const values = componentValues(plan.subject, component);
  const chosen = { namespace, release: 'component', values, chart: spec.chart };
  const installed = await installChart(work, chosen, installing.broken);
  await finishRestart(work, namespace);
  if (installed) work.tell('ComponentDeployed', `${component} is installed in ${namespace}`);
}

async function installAux(work: Work, plan: Plan, { planned, broken }: Installing): Promise<void> {
  const { component, name: namespace } = planned;
  const values = auxValues(plan.subject, component);
  const chart = work.charts.auxChart;
  await installChart(work, { namespace, release: 'auth-aux', values, chart }, broken);
}

interface Chosen {
  namespace: string;
  release: string;
  values: object;
  chart: Chart;
}

/**
 * `latest` is what it is when the release is installed: neither an edit elsewhere nor damage moves it.
 * @returns whether helm had to install it
 */
function installChart(work: Work, chosen: Chosen, broken: Broken): Promise<boolean> {
  const { chart, ...rest } = chosen;
  const { repo, name, secret, version = 'latest' } = chart;
  const fingerprint = fingerprintOf({ repo, name, secret, version }, chosen.values);
  const force = broken.has(`${chosen.namespace}/${chosen.release}`);
  const same = force ? { ...chart, version: recordedVersion(work, chosen) ?? version } : chart;
  const wanted = { ...rest, fingerprint, chart: () => chartOf(work, same) };
  return ensureRelease(work, wanted, { force });
}

function recordedVersion({ graph }: Work, { namespace, release }: Chosen): string | undefined {
  const component = graph.status?.components?.find((each) => each.namespace === namespace);
  return component?.releases?.find(({ name }) => name === release)?.version || undefined;
}

async function noteRestart(work: Work, namespace: string, reason: string | null): Promise<void> {
  const annotations = { [notes.restart]: reason };
  await clientOf(work, builtIns.namespaces).patch(
    { name: namespace },
    { metadata: { annotations } },
  );
}

/** Replaces the pods of a Namespace where that is noted. */
export async function finishRestart(work: Work, namespace: string): Promise<void> {
  const reason = work.namespaces.get(namespace)?.metadata.annotations?.[notes.restart];
  if (reason === undefined) return;
  await restartWorkloads(work, namespace, reason);
  try {
    await noteRestart(work, namespace, null);
  } catch (error) {
    if (!isKubeError(error, 'notFound')) throw error;
  }
}
