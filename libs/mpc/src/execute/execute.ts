import type { Plan } from '../compile/plan.js';
import type { Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import type { Inputs } from './inputs.js';
import type { ResultShares } from './results.js';

/**
 * Runs a plan over the shares of one party (jobs.md 11): all parties with the same plan, row counts and keys.
 * @returns what this party exports, finalised (11.7).
 * @throws RunFinding where the data is at fault, ProtocolError where a party deviates.
 */
export function execute(_plan: Plan, _inputs: Inputs, _party: Party): Protocol<ResultShares> {
  throw new Error('not there yet');
}
