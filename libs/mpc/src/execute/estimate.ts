import type { Plan } from '../compile/plan.js';

/** A network between parties. */
export interface Net {
  /** Bits per second of one party, in one direction. */
  bitsPerSecond: number;
  /** Round-trip time in nanoseconds. */
  rtt: number;
}

/** Networks of the estimate (jobs.md 9). */
export const LAN: Net = { bitsPerSecond: 10e9, rtt: 300_000 };
export const WAN: Net = { bitsPerSecond: 6e9, rtt: 20_000_000 };

export interface Estimate {
  rounds: number;
  /** Sent by the busiest party. */
  bytesPerParty: number;
  /** Bytes that a party holds at once. */
  memory: number;
  /** Nanoseconds on the network that was asked for. */
  nanoseconds: number;
}

/**
 * What a run costs (jobs.md 9): 8 ns per byte, the bytes over the network, and a round trip per round.
 * @param rows of each table of the plan, over all owners.
 */
export function estimate(_plan: Plan, _rows: readonly number[], _net: Net): Estimate {
  throw new Error('not there yet');
}
