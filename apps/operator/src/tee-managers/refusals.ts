import type { SuiteError } from '../suite/suite-error.js';
import { no, type Verdict } from './verdict.js';

/** Milliseconds before the suite is asked again for what it has refused. */
export const refusalMs = 300_000;

const reasons: Record<string, string> = {
  'backend-exists': 'NameConflict',
  'name-not-allowed': 'NameNotAllowed',
};

interface Refusal {
  verdict: Verdict;
  until: number;
}

/** What the suite does not want: the same is asked again slowly, something else at once. */
export class Refusals {
  private readonly known = new Map<string, Refusal>();

  /** @param ask names the object and all that the answer may depend on */
  standing(ask: string, now: Date): Verdict | undefined {
    const refusal = this.known.get(ask);
    return refusal && now.getTime() < refusal.until ? refusal.verdict : undefined;
  }

  /** @returns what it means for the condition */
  note(ask: string, error: SuiteError, now: Date): Verdict {
    const verdict = no(reasons[error.details.problem ?? ''] ?? 'Refused', error.message);
    for (const [other, { until }] of this.known)
      if (until < now.getTime()) this.known.delete(other);
    this.known.set(ask, { verdict, until: now.getTime() + refusalMs });
    return verdict;
  }
}
