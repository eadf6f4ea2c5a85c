import { examine, textOf, type Examination, type Finding } from '@glacis/graphs';
import { addGraphFinalizer } from './graph-finalizer.js';
import { componentTasks, type Broken } from './component-steps.js';
import { endpointPathsOf } from './endpoints.js';
import { Breach, messageOf } from './failures.js';
import { flowTasks } from './flow-steps.js';
import { providedBy, registerInfra } from './infra.js';
import { componentNamespaces, planOf, type Plan } from './plan.js';
import { prune } from './prune.js';
import { leftovers, failedAttempts, nextAttempt } from './recorded.js';
import { saveStatus } from './status.js';
import { runTasks, type Outcome, type Task } from './tasks.js';
import { ensureVolumes } from './volumes.js';
import type { Work } from './work.js';

/** Releases of one graph that are installed at once. */
const parallel = 4;

/** How an attempt ended. `dropped`: something newer is asked for. */
export type Ending = 'done' | 'failed' | 'dropped';

/** Brings a graph to what its spec asks for (4.2). */
export async function deploy(work: Work): Promise<Ending> {
  const examination = await examined(work);
  const { errors, warnings } = examination.verdict;
  for (const warning of warnings) work.say('Validation', warning);
  if (errors.length > 0) return refuse(work, errors);
  work.tell('Validated', `generation ${work.graph.metadata.generation} keeps all rules`);
  try {
    return await begin(work, examination);
  } catch (error) {
    if (error instanceof Breach) return refuse(work, error.findings);
    throw error;
  }
}

/** Every rule, against what there is now. */
export function examined({ id, graph, cluster, charts, report }: Work): Promise<Examination> {
  return examine({ ...id, spec: graph.spec }, cluster, charts, report);
}

/** What runs goes on; charts, Secrets and infra may change, so it is tried again. */
async function refuse(work: Work, errors: readonly Finding[]): Promise<Ending> {
  const isPending = errors.every(({ code }) => code === 'REPO_FAILED' || code === 'CHART_FAILED');
  await saveStatus(work, {
    phase: 'Failed',
    reason: 'GraphValidationError',
    heading: 'The graph breaks these rules:',
    errors: errors.map((error) => textOf([error])),
    observed: true,
    validated: isPending ? 'pending' : 'unknown',
    attempts: nextAttempt(work),
    leftovers: leftovers(work),
  });
  work.tell('ValidationFailed', textOf(errors));
  return 'failed';
}

async function begin(work: Work, { mounts, infra }: Examination): Promise<Ending> {
  work.graph = await addGraphFinalizer(work.graphs, work.graph);
  const provides = providedBy(infra);
  await registerInfra(work, provides, 'registered');
  const plan = planOf(work, mounts, infra);
  const known = { validated: 'yes', leftovers: leftovers(work), working: true } as const;
  await saveStatus(work, { phase: 'Deploying', ...known, attempts: failedAttempts(work) });
  work.tell('Deploying', `generation ${work.graph.metadata.generation} is being deployed`);
  const outcomes = await install(work, plan);
  if (work.outdated()) return drop(work);
  const faults = faultsIn(plan, outcomes);
  const breach = [...outcomes.values()].flatMap((each) =>
    each.kind === 'failed' && each.error instanceof Breach ? [each.error] : [],
  )[0];
  if (breach) throw breach;
  if (faults.errors.length > 0) return fail(work, faults);
  await prune(work, plan);
  await registerInfra(work, provides, 'deployed');
  const volumes = await ensureVolumes(work, plan);
  await saveStatus(work, {
    phase: 'Deployed',
    observed: true,
    validated: 'yes',
    endpointPaths: await endpointPathsOf(work, plan),
    componentNamespaces: componentNamespaces(plan),
    flowFaults: volumes.faults,
  });
  work.tell('Deployed', `generation ${work.graph.metadata.generation} is deployed`);
  return 'done';
}

/** Namespaces, flows and components, as far as they can be done. @param broken is installed also where it stands */
export async function install(
  work: Work,
  plan: Plan,
  broken: Broken = new Set(),
): Promise<ReadonlyMap<string, Outcome>> {
  const tasks = [...flowTasks(work, plan, broken), ...componentTasks(work, plan, broken)];
  const ids = new Set(tasks.map(({ id }) => id));
  const told = tasks.map((task): Task => ({
    ...task,
    // A part of a plan does not wait for what stands already.
    after: task.after.filter((id) => ids.has(id)),
    run: () =>
      task.run().catch((error: unknown) => {
        if (!work.outdated()) work.tell('ComponentFailed', `${task.id}: ${messageOf(error)}`);
        throw error;
      }),
  }));
  return runTasks(told, { limit: parallel, stopped: () => work.outdated() || work.signal.aborted });
}

/** The newer generation is next; what runs is not touched. */
function drop(work: Work): Ending {
  work.tell('Superseded', `generation ${work.graph.metadata.generation} is no longer asked for`);
  return 'dropped';
}

export interface Faults {
  errors: string[];
  components: Map<string, string>;
  flows: Map<string, string>;
}

/** What went wrong, by component and flow; the first reason of each counts. */
export function faultsIn(plan: Plan, outcomes: ReadonlyMap<string, Outcome>): Faults {
  const faults: Faults = { errors: [], components: new Map(), flows: new Map() };
  const note = (into: Map<string, string>, name: string, ids: readonly string[]): void => {
    const reasons = ids.flatMap((id) => reasonOf(outcomes.get(id)) ?? []);
    const [reason] = reasons.toSorted((a, b) => Number(isWaiting(a)) - Number(isWaiting(b)));
    if (reason === undefined) return;
    into.set(name, reason);
    faults.errors.push(`${name}: ${reason}`);
  };
  for (const { type, flows } of plan.flows) {
    for (const flow of flows) note(faults.flows, flow, [`flows ${type}`]);
  }
  for (const [flow, { type }] of Object.entries(plan.subject.spec.flows)) {
    if (type === 'kafka' || type === 'pulsar') note(faults.flows, flow, [`flow ${flow}`]);
  }
  for (const { component } of plan.components) {
    const steps = ['place', 'edges', 'component', 'aux'].map((step) => `${component} ${step}`);
    note(faults.components, component, steps);
  }
  return faults;
}

const waitingFor = 'waiting for ';
const isWaiting = (reason: string): boolean => reason.startsWith(waitingFor);

function reasonOf(outcome: Outcome | undefined): string | undefined {
  if (outcome?.kind === 'failed') return messageOf(outcome.error);
  return outcome?.kind === 'skipped' ? `${waitingFor}${outcome.waitsFor}` : undefined;
}

async function fail(work: Work, faults: Faults): Promise<Ending> {
  await saveStatus(work, {
    phase: 'Failed',
    reason: 'GraphDeploymentError',
    heading: 'The graph could not be deployed:',
    errors: faults.errors,
    observed: true,
    validated: 'yes',
    attempts: nextAttempt(work),
    componentFaults: faults.components,
    flowFaults: faults.flows,
    leftovers: leftovers(work),
  });
  work.tell('DeployFailed', faults.errors.join('; '));
  return 'failed';
}
