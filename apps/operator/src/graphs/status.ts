import {
  claimName,
  componentNamespace,
  flowNamespace,
  type ComponentStatus,
  type Flow,
  type FlowState,
  type FlowStatus,
  type GraphPhase,
  type ReleaseStatus,
} from '@glacis/graphs';
import { isKubeError, keyOf } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { conditionsOf, type ConditionFacts } from './conditions.js';
import { checkRepository } from './repository-check.js';
import { knownRelease } from './releases.js';
import { componentState, flowsState, type Judgement } from './states.js';
import type { TopicConfig } from './topics/topic-type.js';
import type { Graph, RecordedStatus, Work } from './work.js';

/** What an attempt has found, beside what the caches tell. */
export interface Findings {
  phase: GraphPhase;
  reason?: RecordedStatus['reason'];
  /** With a reason: a heading, and the errors. */
  heading?: string;
  errors?: readonly string[];
  /** The generation is finished, one way or the other. */
  observed?: boolean;
  working?: boolean;
  validated?: ConditionFacts['validated'];
  attempts?: number;
  endpointPaths?: string;
  componentNamespaces?: string[];
  /** Why components or flows are not as they should be, by name. */
  componentFaults?: ReadonlyMap<string, string>;
  flowFaults?: ReadonlyMap<string, string>;
  /** Topics that are not of the spec any more and not removed yet. */
  leftovers?: readonly FlowStatus[];
}

/** The status from what was found; what was found before and still holds stays. */
export function statusOf(work: Work, findings: Findings): RecordedStatus {
  const { graph } = work;
  const before = graph.status ?? {};
  const generation = graph.metadata.generation ?? 0;
  const { phase, reason, observed, attempts = 0, validated = 'unknown' } = findings;
  const observedGeneration = observed ? generation : before.observedGeneration;
  const status: Omit<RecordedStatus, 'conditions'> = {
    phase,
    reason,
    messages: messagesOf(findings),
    observedGeneration,
    attempts: attempts || undefined,
    componentNamespaces: findings.componentNamespaces ?? before.componentNamespaces,
    endpointPaths: findings.endpointPaths ?? before.endpointPaths,
    components: componentsOf(work, findings),
    flows: [...flowsOf(work, findings), ...(findings.leftovers ?? [])],
  };
  const facts = { generation, now: work.now(), validated, attempts };
  return { ...status, conditions: conditionsOf(status, before.conditions, facts) };
}

function messagesOf({ heading, errors }: Findings): string | undefined {
  return errors && `${heading}\n${errors.map((error) => `${error}\n\n`).join('')}`;
}

function componentsOf(work: Work, findings: Findings): ComponentStatus[] {
  const { graph, id, settings } = work;
  return Object.entries(graph.spec.graph.components).map(([name, component]) => {
    const namespace = componentNamespace(id, name, component?.namespace);
    const releases = ['edges', 'component', 'auth-aux'].flatMap(
      (release) => knownRelease(work, namespace, release) ?? [],
    );
    const named = (release: string): (typeof releases)[number] | undefined =>
      releases.find((each) => each.release === release);
    const judged = componentState({
      release: named('component'),
      hasEdges: named('edges') !== undefined,
      working: findings.working ?? false,
      pods: work.cache.podsIn(namespace),
      now: work.now(),
      persistentAfterMs: settings.persistentErrorAfterMs,
    });
    const message = findings.componentFaults?.get(name) ?? judged.message;
    return {
      name,
      namespace,
      state: judged.state,
      ...(message !== undefined && { message: message.slice(0, maxMessage) }),
      releases: releases.map(releaseStatus),
    };
  });
}

const maxMessage = 4_096;

const releaseStatus = (record: {
  release: string;
  revision: number;
  status: string;
  chart: string;
  version: string;
}): ReleaseStatus => ({
  name: record.release,
  revision: record.revision,
  status: record.status,
  chart: record.chart,
  version: record.version,
});

/** Flows of the spec, each with its state. */
function flowsOf(work: Work, findings: Findings): FlowStatus[] {
  return Object.entries(work.graph.spec.graph.flows).map(([name, flow]) => {
    const fault = findings.flowFaults?.get(name);
    const judged: Judgement<FlowState> =
      fault === undefined
        ? flowState(work, name, { flow, phase: findings.phase, working: findings.working ?? false })
        : { state: 'error', message: fault };
    return {
      name,
      type: flow.type,
      state: judged.state,
      ...(judged.message !== undefined && { message: judged.message.slice(0, maxMessage) }),
      ...placeOf(work, name, flow),
    };
  });
}

function placeOf(
  { id, topics }: Work,
  name: string,
  flow: Flow,
): Pick<FlowStatus, 'namespace' | 'claim' | 'resource'> {
  if (flow.type === 'kafka' || flow.type === 'pulsar') {
    return { resource: topics[flow.type].resourceOf(id, name) };
  }
  return { namespace: flowNamespace(id, flow.type), claim: claimName(id, name) };
}

interface FlowFacts {
  flow: Flow;
  phase: GraphPhase;
  working: boolean;
}

function flowState(
  work: Work,
  name: string,
  { flow, phase, working }: FlowFacts,
): Judgement<FlowState> {
  if (flow.type === 'volume') {
    return flowsState(
      knownRelease(work, flowNamespace(work.id, 'volume'), 'flows-volume'),
      working,
    );
  }
  if (working) return { state: 'deploying' };
  // Nobody serves the flows of a graph that is taken down.
  if (phase !== 'Deployed') return { state: 'unknown' };
  const key = keyOf(work.id);
  if (flow.type === 'repository') {
    return work.probes.stateOf(key, name, () => checkRepository(work, name));
  }
  const topics = work.topics[flow.type];
  const config: TopicConfig = flow.config ?? {};
  return work.probes.stateOf(key, name, () => topics.check(work.id, name, config));
}

/** Milliseconds for which a status is tried to be written. */
const writeMs = 10_000;

/** Writes the status if it says something else than before; others may change the graph meanwhile. */
export async function saveStatus(work: Work, findings: Findings): Promise<void> {
  let latest: Graph = work.graph;
  const status = statusOf(work, findings);
  const write = async (): Promise<Graph> => {
    try {
      return await work.graphs.updateStatus(latest, status);
    } catch (error) {
      if (isKubeError(error, 'conflict')) latest = await work.graphs.get(latest.metadata);
      throw error;
    }
  };
  const written = await waitFor(
    () =>
      write().catch((error: unknown) => {
        // The graph is gone, or we may not write any more: trying again would not help.
        if (isKubeError(error, 'conflict', 'unavailable', 'timeout')) throw error;
        return { failure: error };
      }),
    { deadlineMs: writeMs, everyMs: 200, what: 'the status to be written' },
  );
  if ('failure' in written) throw written.failure;
  const { resourceVersion } = written.metadata;
  work.memory.written.set(work.id.uid, { resourceVersion, status });
  // The spec that is worked on stays the one that was read: a newer one is for the next reconcile.
  work.graph = {
    ...work.graph,
    metadata: { ...work.graph.metadata, resourceVersion },
    status,
  };
}
