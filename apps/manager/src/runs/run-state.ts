/** Where one computation stands on this host. `over` is forgotten. */
export type RunPhase = 'starting' | 'running' | 'stopping' | 'over';

/** What can happen to a computation: orders of the server, and what the guest and its driver report. */
export type RunInput =
  | { kind: 'requested' }
  | { kind: 'provisioning' }
  | { kind: 'started'; port: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'stopRequested' }
  | { kind: 'stopped' }
  | { kind: 'stopFailed'; reason: string }
  | { kind: 'agent'; state: string; status: string; details?: Buffer }
  | { kind: 'log'; level: string; text: string };

export type ManagerStatus = 'starting' | 'inProgress' | 'completed' | 'stopped' | 'failed';

/** What is to be told to the server, in no dialect's words yet. */
export type Saying =
  | { kind: 'provision' | 'vm' | 'stop'; status: ManagerStatus; reason?: string }
  | { kind: 'ready'; port: string }
  | { kind: 'stopReply'; problem: string }
  | { kind: 'agent'; state: string; status: string; details?: Buffer }
  | { kind: 'log'; level: string; text: string };

export interface RunStep {
  phase: RunPhase;
  say: Saying[];
  /** What the driver must do next. */
  act?: 'start' | 'stop';
}

type Steps = {
  [K in RunInput['kind']]: (
    phase: RunPhase | undefined,
    input: Extract<RunInput, { kind: K }>,
  ) => RunStep;
};

const steps: Steps = {
  requested,
  provisioning: (phase) =>
    said(phase, phase === 'starting', { kind: 'provision', status: 'inProgress' }),
  started,
  failed,
  stopRequested,
  stopped,
  stopFailed,
  agent: (phase, input) => said(phase, phase === 'starting' || phase === 'running', input),
  log: (phase, input) => said(phase, phase === 'starting' || phase === 'running', input),
};

/** The life of one computation; without a phase it is not known yet. */
export function runStep(phase: RunPhase | undefined, input: RunInput): RunStep {
  return steps[input.kind](phase, input as never);
}

function same(phase: RunPhase | undefined): RunStep {
  return { phase: phase ?? 'over', say: [] };
}

function said(phase: RunPhase | undefined, fits: boolean, ...say: Saying[]): RunStep {
  return fits ? { ...same(phase), say } : same(phase);
}

function requested(phase: RunPhase | undefined): RunStep {
  if (phase !== undefined) {
    const reason = 'a computation of this id is already here';
    return { phase, say: [{ kind: 'provision', status: 'failed', reason }] };
  }
  return { phase: 'starting', say: [{ kind: 'provision', status: 'starting' }], act: 'start' };
}

function started(phase: RunPhase | undefined, { port }: { port: string }): RunStep {
  if (phase !== 'starting') return same(phase);
  return {
    phase: 'running',
    say: [
      { kind: 'provision', status: 'completed' },
      { kind: 'vm', status: 'inProgress' },
      { kind: 'ready', port },
    ],
  };
}

function failed(phase: RunPhase | undefined, { reason }: { reason: string }): RunStep {
  if (phase === 'stopping') return stopped(phase);
  const kind = phase === 'starting' ? 'provision' : 'vm';
  return { phase: 'over', say: phase === 'over' ? [] : [{ kind, status: 'failed', reason }] };
}

function stopRequested(phase: RunPhase | undefined): RunStep {
  if (phase === 'stopping') return same(phase);
  if (phase === 'starting' || phase === 'running')
    return { phase: 'stopping', say: [], act: 'stop' };
  const problem = 'entity not found';
  return {
    phase: 'over',
    say: [
      { kind: 'stop', status: 'failed', reason: problem },
      { kind: 'stopReply', problem },
    ],
  };
}

function stopped(phase: RunPhase | undefined): RunStep {
  if (phase !== 'stopping') return { phase: 'over', say: [] };
  return {
    phase: 'over',
    say: [
      { kind: 'agent', state: 'Stopped', status: 'Stopped' },
      { kind: 'stop', status: 'completed' },
      { kind: 'stopReply', problem: '' },
    ],
  };
}

/** The guest may still be there, so another stop is tried in full. */
function stopFailed(phase: RunPhase | undefined, { reason }: { reason: string }): RunStep {
  if (phase !== 'stopping') return same(phase);
  return {
    phase: 'running',
    say: [
      { kind: 'stop', status: 'failed', reason },
      { kind: 'stopReply', problem: reason },
    ],
  };
}
