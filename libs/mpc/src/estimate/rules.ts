import { selectionsOf, type Rules } from '../protocol/disclosure.js';
import {
  all,
  and,
  beside,
  bitToWords,
  greater,
  lanes,
  log2,
  NOTHING,
  runOr,
  series,
  toBits,
  type Cost,
} from './cost.js';

/** Owners whose rows are told apart. */
const ownersOf = ({ owners }: Rules): number[] => owners.filter((count) => count > 1);

/** Bits of the owners of a row. */
export const ownerBits = (rules: Rules): number =>
  ownersOf(rules).reduce((sum, count) => sum + Math.max(1, log2(count)), 0);

/** Members of every selection, along the rows (`membersOf`). */
export function membersCost(rules: Rules, rows: number): Cost {
  const selections = selectionsOf(rules);
  const unit = rules.counted === 'unit';
  const longest = Math.max(...selections.map((each) => each.with.length + each.without.length));
  const planes = selections.reduce((sum, each) => sum + each.with.length + each.without.length, 0);
  const owners = ownersOf(rules).map((count) => {
    const one = all(Math.max(1, log2(count)), rows);
    return { rounds: one.rounds, words: count * one.words };
  });
  return series(
    beside(...owners),
    { rounds: log2(1 + longest), words: planes * lanes(rows) },
    unit ? series(runOr(selections.length, rows), and(selections.length, rows)) : NOTHING,
    bitToWords(selections.length, 32, rows),
  );
}

/** Members in slots of rows that lie as they were brought (`membersInPlace`): owners are sums over their rows. */
export function membersInPlaceCost({ filters }: Rules, slots: number, rows: number): Cost {
  const pairs = (filters * (filters - 1)) / 2;
  return series(
    filters > 0 ? and(slots * (filters + pairs), rows) : NOTHING,
    bitToWords(slots * (1 + filters + pairs), 32, rows),
  );
}

const widthFor = (value: number): number => Math.floor(Math.log2(Math.max(1, value))) + 1;

/** All tests of 11.12 in one batch, and an AND tree (`disclosed`). */
export function disclosedCost(rules: Rules, rows: number, slots: number): Cost {
  const tests = selectionsOf(rules).length;
  const { minGroupSize: k, minOwners, maxSharePercent, filters } = rules;
  const width = widthFor(Math.max(rows, k));
  const floor = toBits(width + 1, slots);
  const fit = series(toBits(width, slots), greater(width, slots));
  const several = k > 1 && tests > 1 ? fit : NOTHING;
  const owners = ownersOf(rules).map((count) =>
    minOwners > 1
      ? series(floor, bitToWords(count, 32, slots), toBits(widthFor(count) + 1, slots))
      : NOTHING,
  );
  const share = maxSharePercent < 100 ? toBits(widthFor(100 * rows) + 1, slots) : NOTHING;
  const one = beside(floor, several, ...owners, share);
  // Of each part, the group or a filter, the tests are joined by an AND tree.
  const perPart = Math.ceil(tests / (1 + filters));
  return series(
    { rounds: one.rounds, words: one.words * tests },
    { rounds: log2(perPart), words: tests * lanes(slots) },
  );
}
