import type { Condition } from '@glacis/kube';
import type { Phase, TeeManagerStatus } from './tee-manager.js';
import { conditionFrom, conditionTypes, no, yes, type Verdict, type Verdicts } from './verdict.js';

/** Milliseconds without a connection after which somebody should look. */
export const notConnectedMs = 300_000;

export interface Findings {
  verdicts: Verdicts;
  /** Ended by a user. */
  terminated: boolean;
  /** A newer certificate is to be had, or is not in use yet. */
  renewing: boolean;
  /** The container of the manager runs. */
  running: boolean;
  /** What the status says beside. */
  facts: Omit<TeeManagerStatus, 'phase' | 'conditions'>;
}

interface Context {
  before: TeeManagerStatus | undefined;
  generation: number;
  now: Date;
}

/** What has to be put right by a person. */
const failures = new Set([
  'NameConflict',
  'NameNotAllowed',
  'Refused',
  'Revoked',
  'BackendDeleted',
  'ObjectConflict',
  'NotConnected',
]);

/** The status from what was found. */
export function summarise(findings: Findings, context: Context): TeeManagerStatus {
  const { before, generation, now } = context;
  const history = { before: before?.conditions, generation, now };
  const conditions = conditionTypes.map((type) =>
    conditionFrom(type, findings.verdicts[type], history),
  );
  const ready = readyVerdict(findings, conditions, now);
  return {
    ...findings.facts,
    phase: phaseOf(findings, ready),
    verdict: before?.verdict ?? 'claimed',
    observedGeneration: generation,
    conditions: [...conditions, conditionFrom('Ready', ready, history)],
  };
}

/** All four; else the first that is not, and after a while without a connection that. */
function readyVerdict(findings: Findings, conditions: Condition[], now: Date): Verdict {
  const first = conditions.find(({ status }) => status !== 'True');
  if (!first) return yes('Ready', 'registered, certified and connected');
  const { terminated, running } = findings;
  const since = disconnectedSince(conditions);
  if (!terminated && running && since !== undefined && +now - since >= notConnectedMs) {
    const minutes = notConnectedMs / 60_000;
    return no('NotConnected', `the manager runs and is not connected for over ${minutes} minutes`);
  }
  return no(first.reason, first.message);
}

/** Milliseconds until the lack of a connection counts; undefined: it is connected, or that is over. */
export function untilNotConnected(status: TeeManagerStatus, now: Date): number | undefined {
  const since = disconnectedSince(status.conditions ?? []);
  const left = since === undefined ? 0 : since + notConnectedMs - now.getTime();
  return left > 0 ? left : undefined;
}

function disconnectedSince(conditions: readonly Condition[]): number | undefined {
  const connected = conditions.find(({ type }) => type === 'Connected');
  return connected?.status === 'False' ? Date.parse(connected.lastTransitionTime) : undefined;
}

function phaseOf(findings: Findings, ready: Verdict): Phase {
  const { verdicts, terminated, renewing, facts } = findings;
  if (ready.status === 'True') return renewing ? 'Renewing' : 'Running';
  if (terminated) return 'Terminated';
  if (failures.has(ready.reason)) return 'Failed';
  if (facts.backendId === undefined) {
    return verdicts.Registered.reason === 'SuiteUnreachable' ? 'Pending' : 'Registering';
  }
  if (facts.certificateSerial === undefined) return 'Issuing';
  return renewing ? 'Renewing' : 'Starting';
}
