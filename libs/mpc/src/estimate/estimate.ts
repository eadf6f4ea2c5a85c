import type { Plan } from '../compile/plan.js';
import { rulesFor } from '../execute/rules.js';
import { slotCount } from '../execute/slots.js';
import { NOTHING, series, sum, type Cost } from './cost.js';
import { checks, joinCost } from './inputs.js';
import {
  evaluation,
  groupsCost,
  isSmall,
  smallCost,
  wholeCost,
  type Setting,
} from './reduction.js';
import { finaliseCost, orderCost, slotsCost } from './slots.js';

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

/** Groups in the form that takes less time. */
function reductionCost(setting: Setting, slots: number): Cost {
  if (setting.plan.shape === 'rows') return NOTHING;
  if (setting.plan.shape === 'global') return wholeCost(setting);
  const sorted = groupsCost(setting);
  if (!isSmall(setting)) return sorted;
  const small = smallCost(setting, slots);
  return time(small, LAN) < time(sorted, LAN) ? small : sorted;
}

/** Nanoseconds (jobs.md 9): 8 for each byte, the bytes over the network, and a round trip for each round. */
function time({ rounds, words }: Cost, { bitsPerSecond, rtt }: Net): number {
  const bytes = Math.ceil(4 * words);
  return Math.ceil(8 * bytes + (bytes * 8e9) / bitsPerSecond + rounds * rtt);
}

/** Bytes of the columns that are loaded, both slots of both forms. */
const tableBytes = (plan: Plan, rows: readonly number[]): number =>
  sum(
    plan.columns.map(({ table, boolean, arithmetic, wide, storedBits }) => {
      const forms = (boolean ? storedBits : 0) + (arithmetic ? (wide ? 64 : storedBits) : 0);
      return 2 * (forms / 8) * rows[table];
    }),
  );

/** Most memory that a party takes, in sizes of its tables (11.9). */
const MEMORY_FACTOR = 6;

/**
 * What a run costs (jobs.md 9).
 * @param rows of each table of the plan, over all owners.
 * @param owners of each table; default two, as more of them cost bytes and no rounds.
 */
export function estimate(
  plan: Plan,
  rows: readonly number[],
  net: Net,
  owners: readonly number[] = rows.map(() => 2),
): Estimate {
  const rules = rulesFor(plan, owners);
  const { join } = plan;
  const left = join ? rows[1 - join.unique] : rows[0];
  const setting = { plan, rules, rows: left, masked: Boolean(join ?? plan.where) };
  const slots = { rows: left, groups: slotCount(plan, left), global: 1 }[plan.shape];
  const kept = Math.min(slots, plan.limit ?? slots);
  const cost = series(
    checks(plan, rows),
    join ? joinCost(plan, join, rows, rules) : NOTHING,
    evaluation(setting),
    plan.shape === 'rows'
      ? NOTHING
      : series(reductionCost(setting, slots), slotsCost(setting, slots)),
    orderCost(plan, slots),
    finaliseCost(plan, kept),
  );
  return {
    rounds: cost.rounds,
    bytesPerParty: Math.ceil(4 * cost.words),
    memory: MEMORY_FACTOR * tableBytes(plan, rows),
    nanoseconds: time(cost, net),
  };
}
