import { INT32, INT64, within } from '@glacis/shares';
import type { Plan, PlanColumn } from '../compile/plan.js';
import { toBoolean } from '../protocol/adder.js';
import { holdForOwners, sameForms } from '../protocol/checks.js';
import { between } from '../protocol/constants.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import type { Bits, Plane } from '../protocol/shares.js';
import { wideToBoolean } from '../protocol/words.js';
import { isWide } from './columns.js';
import { RunFinding } from './finding.js';
import type { ColumnInput, TableInput } from './inputs.js';
import { fitted, wholeBits, wordsOfInput, type Forms } from './rows.js';

type Code = 'inconsistent_forms' | 'out_of_range';

/** Where a column is as it should be, row by row. */
interface Verdict {
  code: Code;
  column: string;
  holds: Plane;
}

/** All bits of a column, in the width of its widest form; of one that is there in arithmetic form alone they are computed. */
function* bitsOf(party: Party, { words, bits }: Forms): Protocol<Bits | undefined> {
  if (bits) return words && isWide(words) ? fitted(bits, 64, true) : bits;
  if (!words) return undefined;
  return yield* isWide(words) ? wideToBoolean(party, words.shares) : toBoolean(party, words.shares);
}

/** Whether a column may hold anything that its words may. */
const isWhole = ({ type }: PlanColumn, { planes }: Bits): boolean =>
  type.kind === 'hash' || within(planes.length > 32 ? INT64 : INT32, type);

function* consistent(party: Party, { words, bits }: Forms, whole: Bits): Protocol<Plane[]> {
  return words && bits ? [yield* sameForms(party, words, whole)] : [];
}

function* inRange(party: Party, column: PlanColumn, whole: Bits): Protocol<Plane[]> {
  if (isWhole(column, whole)) return [];
  const { min, max } = column.type;
  return [yield* between(party, whole, { min, max, signed: true })];
}

function* columnVerdicts(
  party: Party,
  column: PlanColumn,
  input: ColumnInput,
): Protocol<Verdict[]> {
  const forms = { words: wordsOfInput(input), bits: input.boolean && wholeBits(input.boolean) };
  const whole = yield* bitsOf(party, forms);
  if (!whole) return [];
  const [same, range] = yield* together(
    consistent(party, forms, whole),
    inRange(party, column, whole),
  );
  const verdict =
    (code: Code) =>
    (holds: Plane): Verdict => ({ code, column: column.name, holds });
  return [...same.map(verdict('inconsistent_forms')), ...range.map(verdict('out_of_range'))];
}

function* tableFinding(
  party: Party,
  columns: readonly PlanColumn[],
  table: TableInput,
): Protocol<RunFinding | undefined> {
  const verdicts = (yield* together(
    ...columns.map((column) => columnVerdicts(party, column, table.columns.get(column.name) ?? {})),
  )).flat();
  const held = yield* holdForOwners(
    party,
    verdicts.map(({ holds }) => holds),
    table.owners,
  );
  const failed = held.findIndex((owners) => owners.includes(false));
  if (failed < 0) return undefined;
  const { code, column } = verdicts[failed];
  return new RunFinding(code, columns[0].table, column, held[failed].indexOf(false));
}

/**
 * Checks that need the data of all three parties (jobs.md 8, stage D): both forms of a column say the same, and every value is in
 * its declared range. The parties learn one bit per owner, column and check.
 * @throws RunFinding with the first owner and column that fails
 */
export function* checkInputs(
  party: Party,
  plan: Plan,
  tables: readonly TableInput[],
): Protocol<void> {
  const findings = yield* together(
    ...tables.map((input, table) =>
      tableFinding(
        party,
        plan.columns.filter((column) => column.table === table),
        input,
      ),
    ),
  );
  const [first] = findings.flatMap((finding) => finding ?? []);
  if (first) throw first;
}
