import type { Plan } from '../compile/plan.js';
import { widthOf } from '../compile/types.js';
import type { Source, Value } from '../compile/values.js';
import { finalise } from '../protocol/finalise.js';
import type { Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { publicPlane } from '../protocol/shares.js';
import { checkInputs } from './checks.js';
import { evaluate } from './evaluate.js';
import { exported, resultOf, type Slots } from './export.js';
import type { Inputs } from './inputs.js';
import { joinTables } from './join.js';
import { ordered, type OrderKey, type Shown } from './order.js';
import { fileColumns, type ResultShares } from './results.js';
import { isSigned, rowsOfTable, type Rows } from './rows.js';
import { slotsOf } from './slots.js';
import { bitsOf } from './values.js';

function* rowsOf(party: Party, plan: Plan, { tables }: Inputs): Protocol<Rows> {
  const sides = tables.map((input, table) => rowsOfTable(party, plan, table, input));
  return plan.join ? yield* joinTables(party, plan, plan.join, sides) : sides[0];
}

/** Raw rows, all that the condition holds for. */
function* rawSlots(party: Party, plan: Plan, rows: Rows, { hashes }: Inputs): Protocol<Slots> {
  const parts = { sums: [], extremes: [], distinct: [] };
  const { valid } = yield* evaluate(party, plan, rows, { parts, passes: 0, hashes });
  return {
    count: rows.count,
    valid: valid ?? publicPlane(party, rows.count, true),
    value: (source) => (source.op === 'column' ? rows.forms[source.column] : {}),
    shown: [],
  };
}

function* orderKeys(party: Party, plan: Plan, slots: Slots): Protocol<OrderKey[]> {
  const leaves = { count: slots.count, leaf: (source: Source) => slots.value(source) };
  const values = plan.order.map(({ output }): Value => {
    const { name } = plan.outputs[output];
    const file = fileColumns(plan).find((column) => column.name === name);
    if (!file) throw new Error('the order names no column of the file');
    return { ...file.source, type: file.type, ring: file.bits };
  });
  const bits = yield* bitsOf(
    party,
    leaves,
    values.map((value) => ({ value, width: widthOf(value.type) })),
  );
  return plan.order.map(({ descending }, index) => ({
    bits: bits[index],
    signed: isSigned(values[index].type),
    descending,
  }));
}

/** ORDER BY and LIMIT; other results are shuffled when they are finalised. */
function* inOrder(party: Party, plan: Plan, slots: Slots): Protocol<Shown> {
  const { count, valid } = slots;
  const shown = { count, valid, columns: exported(plan, slots) };
  if (plan.order.length === 0 && plan.limit === undefined) return shown;
  const keys = yield* orderKeys(party, plan, slots);
  return yield* ordered(party, shown, keys, plan.limit);
}

/**
 * Runs a plan over the shares of one party (jobs.md 11): all parties with the same plan, row counts and keys.
 * @returns what this party exports, finalised (11.7).
 * @throws RunFinding where the data is at fault, ProtocolError where a party deviates.
 */
export function* execute(plan: Plan, inputs: Inputs, party: Party): Protocol<ResultShares> {
  yield* checkInputs(party, plan, inputs.tables);
  const rows = yield* rowsOf(party, plan, inputs);
  const slots = yield* plan.shape === 'rows'
    ? rawSlots(party, plan, rows, inputs)
    : slotsOf(party, plan, rows, inputs);
  const shown = yield* inOrder(party, plan, slots);
  const isOrdered = plan.order.length > 0 || plan.limit !== undefined;
  const result = yield* finalise(party, shown, { rows: shown.count, ordered: isOrdered });
  return resultOf(plan, shown.count, result);
}
