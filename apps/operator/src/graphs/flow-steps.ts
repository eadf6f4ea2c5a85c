import type { Flow } from '@glacis/graphs';
import { keyOf } from '@glacis/kube';
import { renderedRelease, type Broken } from './component-steps.js';
import { runInitJob } from './init-jobs.js';
import { ensureNamespace } from './namespaces.js';
import type { Plan, PlannedFlows } from './plan.js';
import { ensureRelease, releaseAction, releasesBefore } from './releases.js';
import { ensureSecretCopies } from './secret-copies.js';
import type { Task } from './tasks.js';
import { withCurrentSizes } from './volumes.js';
import type { Work } from './work.js';

/** Steps of flows: by type for those that have a Namespace, each by itself for topics. Components wait for `flow <name>`. */
export function flowTasks(work: Work, plan: Plan, broken: Broken): Task[] {
  const typed = plan.flows.flatMap((planned) => mountedTasks(work, planned, broken));
  const topics = Object.entries(plan.subject.spec.flows).flatMap(([name, flow]) =>
    topicTask(work, name, flow),
  );
  return [...typed, ...topics];
}

/** One release for all flows of a type; the flows are done with it. */
function mountedTasks(work: Work, planned: PlannedFlows, broken: Broken): Task[] {
  const { type, flows } = planned;
  const id = `flows ${type}`;
  const run = (): Promise<void> => installFlows(work, planned, broken);
  const done = flows.map((flow) => ({
    id: `flow ${flow}`,
    subject: flow,
    after: [id],
    run: () => Promise.resolve(),
  }));
  return [{ id, subject: `${type} flows`, after: [], run }, ...done];
}

async function installFlows(work: Work, planned: PlannedFlows, broken: Broken): Promise<void> {
  const { name: namespace, objects, type, jobs } = planned;
  const release = `flows-${type}`;
  await ensureNamespace(work, planned.namespace);
  await ensureSecretCopies(work, planned);
  const wanted = renderedRelease(work, { namespace, release, objects });
  const live = await releasesBefore(work, namespace);
  const there = live.find(({ name }) => name === release)?.record();
  if (jobs.length > 0 && releaseAction(there, wanted.fingerprint) !== 'keep') {
    await ensureClaims(work, planned);
    await Promise.all(jobs.map((job) => runInitJob(work, job)));
  }
  await ensureRelease(work, wanted, { force: broken.has(`${namespace}/${release}`), live });
}

/** Jobs need the claims before the release has them. */
async function ensureClaims(work: Work, { objects, name: namespace }: PlannedFlows): Promise<void> {
  const claims = objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
  for (const claim of withCurrentSizes(work, claims)) {
    const key = keyOf({ namespace, name: claim.metadata.name ?? '' });
    await work.memory.applied.ensure(work.server, claim, work.cache.find(claim.kind, key));
  }
}

function topicTask(work: Work, name: string, flow: Flow): Task[] {
  if (flow.type !== 'kafka' && flow.type !== 'pulsar') return [];
  const run = (): Promise<void> => work.topics[flow.type].ensure(work.id, name, flow.config ?? {});
  return [{ id: `flow ${name}`, subject: name, after: [], run }];
}
