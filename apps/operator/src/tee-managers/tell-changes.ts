import type { Condition } from '@glacis/kube';
import type { TeeManagerStatus } from './tee-manager.js';
import { conditionOf } from './verdict.js';
import type { Told, Work } from './work.js';

/** Kubernetes Events for what people want to know: connected or not, and whatever somebody has to put right. */
export function tellChanges(
  work: Pick<Work, 'tell'>,
  before: TeeManagerStatus | undefined,
  after: TeeManagerStatus,
): void {
  for (const condition of after.conditions ?? []) {
    const old = conditionOf(before?.conditions, condition.type);
    if (old?.status === condition.status && old.reason === condition.reason) continue;
    const told = newsOf(condition, old);
    if (told) work.tell(told);
  }
}

/** Reasons of which each condition tells. What Ready says the others have said before, but for one. */
const warnings: Record<string, ReadonlySet<string>> = {
  Registered: new Set(['NameConflict', 'Refused', 'BackendDeleted']),
  CertificateReady: new Set(['NameNotAllowed', 'Refused', 'Revoked', 'ObjectConflict']),
  PodReady: new Set(['ObjectConflict', 'Refused']),
  Connected: new Set(['TerminatedByUser', 'Disconnected']),
  Ready: new Set(['NotConnected']),
};

function newsOf(condition: Condition, old: Condition | undefined): Told | undefined {
  const { type, status, reason, message: note } = condition;
  if (type === 'Connected' && status === 'True') {
    return old?.status === 'True' ? undefined : { reason: 'Connected', action: 'Connect', note };
  }
  if (!warnings[type]?.has(reason)) return undefined;
  return { type: 'Warning', reason, action: 'Reconcile', note };
}
