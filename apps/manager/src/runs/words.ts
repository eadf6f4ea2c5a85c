import { dialects, type AgentEvent, type ClientMessage, type DialectName } from '@glacis/grpc';
import type { ManagerStatus, Saying } from './run-state.js';

interface Words {
  /** Names of the manager's own events; an absent one is not sent in the dialect (`backends.md` 4.9). */
  events: { provision: string; vm?: string; stop?: string };
  statuses: Record<ManagerStatus, string>;
  /** What the agent calls its states; others keep their name. */
  agentStates: Record<string, string>;
}

const oldStatuses: Words['statuses'] = {
  starting: 'starting',
  inProgress: 'in-progress',
  completed: 'complete',
  stopped: 'complete',
  failed: 'failed',
};

const oldAgentStates: Words['agentStates'] = {
  Idle: 'idle',
  ReceivingManifest: 'receivingManifest',
  ReceivingAlgorithm: 'receivingAlgorithm',
  ReceivingData: 'receivingData',
  Running: 'running',
  ConsumingResults: 'resultsReady',
  Complete: 'complete',
};

const words: Record<DialectName, Words> = {
  seed: {
    events: { provision: 'vm-provision' },
    statuses: oldStatuses,
    agentStates: oldAgentStates,
  },
  'v0.2': {
    events: { provision: 'vm-provision' },
    statuses: oldStatuses,
    agentStates: oldAgentStates,
  },
  'v0.3': {
    events: { provision: 'vm-provision', stop: 'stop-computation' },
    statuses: oldStatuses,
    agentStates: {},
  },
  'v0.4': {
    events: { provision: 'VmProvision', vm: 'VmRunning', stop: 'StopComputationRun' },
    statuses: {
      starting: 'Starting',
      inProgress: 'InProgress',
      completed: 'Completed',
      stopped: 'Stopped',
      failed: 'Failed',
    },
    agentStates: {},
  },
};

/** A saying in the words of a dialect; undefined where the dialect has nothing to say it with. */
export function inWords(
  dialect: DialectName,
  computationId: string,
  saying: Saying,
  at: Date,
): ClientMessage | undefined {
  switch (saying.kind) {
    case 'ready':
      return { kind: 'runResponse', value: { agentPort: saying.port, computationId } };
    case 'stopReply':
      if (!dialects[dialect].answers.has('stopResponse')) return undefined;
      return { kind: 'stopResponse', value: { computationId, message: saying.problem } };
    case 'log': {
      const { text: message, level } = saying;
      return { kind: 'agentLog', value: { message, level, computationId, timestamp: at } };
    }
    default: {
      const event = eventOf(words[dialect], saying);
      if (event === undefined) return undefined;
      return { kind: 'agentEvent', value: { ...event, computationId, timestamp: at } };
    }
  }
}

type EventSaying = Extract<Saying, { status: string }>;

function eventOf(
  own: Words,
  saying: EventSaying,
): Omit<AgentEvent, 'computationId' | 'timestamp'> | undefined {
  if (saying.kind === 'agent') {
    const eventType = own.agentStates[saying.state] ?? saying.state;
    const { details = Buffer.alloc(0), status } = saying;
    return { eventType, details, originator: 'agent', status };
  }
  const eventType = own.events[saying.kind];
  if (eventType === undefined) return undefined;
  const { reason } = saying;
  const details = Buffer.from(reason === undefined ? '' : JSON.stringify({ error: reason }));
  return { eventType, details, originator: 'manager', status: own.statuses[saying.status] };
}
