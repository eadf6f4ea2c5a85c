import { toArithmetic } from './arithmetic.js';
import { all } from './compare.js';
import { atLeast, noneOrEnough } from './disclosure.js';
import type { Frame } from './groups.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import { delay } from './planes.js';
import { and } from './products.js';
import { runExtreme } from './runs.js';
import { addConstant, subtract, xor, type Bits, type Plane, type Shares } from './shares.js';
import { wordsToArithmetic } from './words.js';

/**
 * Rows before each row in its run, less than n (11.12): m_i = g_{d,i} ? m_{i-d} ⊕ d : m_i for d = 1, 2, 4 …, where m_{i-d} is
 * below d. One round per level.
 */
function* positions(party: Party, g: Plane, rows: number): Protocol<Bits> {
  let planes: Plane[] = [];
  let reach = g;
  for (let d = 1; d < rows; d *= 2) {
    const differs = planes.map((plane) => xor(plane, delay(plane, d)));
    const [further, ...changed] = yield* and(
      party,
      [reach, ...differs],
      [delay(reach, d), ...differs.map(() => reach)],
    );
    planes = [...planes.map((plane, j) => xor(plane, changed[j])), reach];
    reach = further;
  }
  return { rows, planes: planes.length > 0 ? planes : [g] };
}

/** What is known of the owners of rows, where they are too many to be counted one by one. */
export interface OwnerRuns {
  /** One less than the rows of the largest owner of the group so far; the last row of the group has that of all. */
  largest: Bits;
  /** 1 in the last row of each owner of a group, in Z_2^32: the sum over the group is the number of its owners. */
  ones: Shares;
}

/**
 * Owners of each group of rows that are sorted by (V descending, keys, owner) (11.12, over 16 owners): 9 rounds per level and a
 * B2A.
 * @param frames over the keys, and over keys and owner.
 */
export function* ownerRuns(
  party: Party,
  frames: { groups: Frame; owners: Frame },
  rows: number,
): Protocol<OwnerRuns> {
  const place = yield* positions(party, frames.owners.g, rows);
  const [largest, [ones]] = yield* together(
    runExtreme(party, frames.groups.g, place, { which: 'MAX', signed: false }),
    toArithmetic(party, [frames.owners.last], rows),
  );
  return { largest, ones };
}

/** What `collect` makes of `OwnerRuns` for each slot. */
export interface OwnerCounts {
  /** Owners of the group. */
  owners: Shares;
  /** One less than the rows of the largest of them. */
  largest: Bits;
}

/**
 * Whether a group is shown where owners are too many to be counted one by one: members, those without the largest owner
 * (residual rule), and owners. 21 rounds and an AND tree.
 * @param rows rows of the table, which bound every count.
 */
export function* disclosedByLargest(
  party: Party,
  rules: { minGroupSize: number; minOwners: number; residual: boolean },
  { count, owners, largest }: OwnerCounts & { count: Shares },
  rows: number,
): Protocol<Plane> {
  const { minGroupSize: k, minOwners, residual } = rules;
  const bits = yield* together(
    atLeast(party, count, k, rows),
    ...(residual && k > 1 ? [withoutLargest(party, { count, largest }, k, rows)] : []),
    ...(minOwners > 1 ? [atLeast(party, owners, minOwners, rows)] : []),
  );
  const [shown] = yield* all(party, [bits]);
  return shown;
}

function* withoutLargest(
  party: Party,
  { count, largest }: { count: Shares; largest: Bits },
  k: number,
  rows: number,
): Protocol<Plane> {
  const before = yield* wordsToArithmetic(party, largest, false);
  return yield* noneOrEnough(party, subtract(addConstant(party, count, -1), before), k, rows);
}
