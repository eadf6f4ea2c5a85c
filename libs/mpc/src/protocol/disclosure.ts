import { toBoolean } from './adder.js';
import { toArithmetic } from './arithmetic.js';
import { all, greater } from './compare.js';
import { publicBits } from './constants.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import {
  add,
  addConstant,
  not,
  publicPlane,
  scale,
  subtract,
  zeros,
  type Plane,
  type Shares,
} from './shares.js';

/** What is asked of a group and of its filtered aggregates before they are shown (jobs.md 11.12). */
export interface Rules {
  /** Members may be added and subtracted where they are rows; units of several rows may not. */
  counted: 'rows' | 'unit';
  /** k. */
  minGroupSize: number;
  minOwners: number;
  /** 1 to 100; 100: off. */
  maxSharePercent: number;
  residual: boolean;
  /** Different FILTER conditions. */
  filters: number;
  /** Owners of each table; a table with one owner has no owner flags. */
  owners: readonly number[];
}

/**
 * Rows in which some flags are 1 and others are 0. Flags are numbered: the filters, then the owners of each table that has more
 * than one.
 */
export interface Selection {
  readonly with: readonly number[];
  readonly without: readonly number[];
}

const ALL: Selection = { with: [], without: [] };
const having = (...flags: number[]): Selection => ({ with: flags, without: [] });
const nameOf = (selection: Selection): string =>
  [selection.with, selection.without].map(String).join(' without ');

/** Flags of the owners of each table that has more than one. */
function ownersOf({ filters, owners }: Rules): number[][] {
  let at = filters;
  return owners
    .filter((count) => count > 1)
    .map((count) => Array.from({ length: count }, () => at++));
}

/** The rows of a selection, and with the residual rule what each owner sees of it beside its own. */
function residuals(rules: Rules, selection: Selection): Selection[] {
  const owners = rules.residual ? ownersOf(rules).flat() : [];
  return [
    selection,
    ...owners.map((owner) => ({ ...selection, without: [...selection.without, owner] })),
  ];
}

/** What has to have no members or enough of them for the aggregates of a filter: the difference rule among others. */
function filterTests(rules: Rules, filter: number): Selection[] {
  const others = Array.from({ length: filter }, (_, other) => other).flatMap((other) => [
    { with: [filter], without: [other] },
    { with: [other], without: [filter] },
  ]);
  return [having(filter), { with: [], without: [filter] }, ...others].flatMap((selection) =>
    residuals(rules, selection),
  );
}

const filtersOf = ({ filters }: Rules): number[] => Array.from({ length: filters }, (_, f) => f);
const countsOwners = ({ minOwners, maxSharePercent }: Rules): boolean =>
  minOwners > 1 || maxSharePercent < 100;

/** All selections of which the rules want to know the members. */
const asked = (rules: Rules): Selection[] => [
  ...(rules.minGroupSize > 1 ? residuals(rules, ALL) : []),
  ...(countsOwners(rules)
    ? ownersOf(rules)
        .flat()
        .map((owner) => having(owner))
    : []),
  ...filtersOf(rules).flatMap((filter) =>
    rules.minGroupSize > 1 ? filterTests(rules, filter) : [having(filter)],
  ),
];

/** Rows of a ∧ ¬b are rows of a less those of a ∧ b: what is added and what is taken away, without negations. */
function expanded({ with: flags, without }: Selection): { plus: boolean; flags: number[] }[] {
  const [first, ...rest] = without;
  if (first === undefined) return [{ plus: true, flags: flags.toSorted((a, b) => a - b) }];
  return [
    ...expanded({ with: flags, without: rest }),
    ...expanded({ with: [...flags, first], without: rest }).map(({ plus, flags }) => ({
      plus: !plus,
      flags,
    })),
  ];
}

/** The selections of which members are counted along the rows, each once, all rows first. */
export function selectionsOf(rules: Rules): Selection[] {
  const wanted = asked(rules);
  const counted =
    rules.counted === 'unit'
      ? wanted
      : wanted.flatMap((selection) => expanded(selection).map(({ flags }) => having(...flags)));
  return [...new Map([ALL, ...counted].map((each) => [nameOf(each), each])).values()];
}

/** Members of any selection of the rules, from those that were counted. */
function lookup(rules: Rules, counts: readonly Shares[]): (selection: Selection) => Shares {
  const names = selectionsOf(rules).map(nameOf);
  const count = (selection: Selection): Shares => counts[names.indexOf(nameOf(selection))];
  if (rules.counted === 'unit') return count;
  const nothing = zeros(counts[0].own.length);
  return (selection) =>
    expanded(selection).reduce(
      (sum, { plus, flags }) => (plus ? add : subtract)(sum, count(having(...flags))),
      nothing,
    );
}

/** What the rules are applied to. */
export interface Evidence {
  rules: Rules;
  /** Members of each selection of `selectionsOf`, in Z_2^32, for each slot. */
  counts: readonly Shares[];
  /** Rows of the tables, which bound every count: at most 2^31 / 100. */
  rows: number;
}

/** Bits that hold a public number. */
const bitsFor = (value: number): number => Math.floor(Math.log2(Math.max(1, value))) + 1;

/** x ≥ 0 for values of which the magnitude is at most `bound`, below 2^31: 7 rounds. */
function* notNegative(party: Party, x: Shares, bound: number): Protocol<Plane> {
  const { planes } = yield* toBoolean(party, x, bitsFor(bound) + 1);
  return not(party, planes[planes.length - 1]);
}

/** members ≥ least: 7 rounds. */
export const atLeast = (
  party: Party,
  members: Shares,
  least: number,
  rows: number,
): Protocol<Plane> =>
  notNegative(party, addConstant(party, members, -least), Math.max(rows, least));

/** Members are 0 or at least k: one unsigned comparison, (m - 1) mod 2^w ≥ k - 1. 13 rounds. */
export function* noneOrEnough(
  party: Party,
  members: Shares,
  k: number,
  rows: number,
): Protocol<Plane> {
  const width = bitsFor(Math.max(rows, k));
  const less = yield* toBoolean(party, addConstant(party, members, -1), width);
  const bound = publicBits(party, BigInt(k - 1), less.rows, width);
  return not(party, yield* greater(party, bound, less));
}

/** What is shown of each slot. */
export interface Disclosed {
  group: Plane;
  /** For each filter whether its aggregates are shown; a dead group's bits are of no meaning. */
  filters: Plane[];
}

/** At least so many of some bits are 1: 12 rounds. */
function* enoughOf(
  party: Party,
  bits: readonly Plane[],
  least: number,
  slots: number,
): Protocol<Plane> {
  const ones = yield* toArithmetic(party, bits, slots);
  return yield* atLeast(party, ones.reduce(add), least, bits.length);
}

/** At least `min_owners` owners have members in the group. */
function* enoughOwners(
  party: Party,
  members: readonly Shares[],
  { rules, rows }: Evidence,
): Protocol<Plane> {
  const present = yield* together(...members.map((own) => atLeast(party, own, 1, rows)));
  return yield* enoughOf(party, present, rules.minOwners, members[0].own.length);
}

/** 100·members(h_o) ≤ p·members(1). */
function share(party: Party, { rules, counts, rows }: Evidence, own: Shares): Protocol<Plane> {
  const slack = subtract(scale(counts[0], rules.maxSharePercent), scale(own, 100));
  return notNegative(party, slack, 100 * rows);
}

/** What is tested of each group, and of each filter in it. */
function testsOf(
  party: Party,
  evidence: Evidence,
): { group: Protocol<Plane>[]; filters: Protocol<Plane>[][] } {
  const { rules, counts, rows } = evidence;
  const { minGroupSize: k, minOwners, maxSharePercent } = rules;
  const members = lookup(rules, counts);
  const enough = (selection: Selection): Protocol<Plane> =>
    atLeast(party, members(selection), k, rows);
  // The first of these selections has members in any case: of it `enough` asks more.
  const fits = ([, ...tests]: readonly Selection[]): Protocol<Plane>[] =>
    k > 1 ? tests.map((test) => noneOrEnough(party, members(test), k, rows)) : [];
  const tables = countsOwners(rules) ? ownersOf(rules) : [];
  const owners = tables.map((flags) => flags.map((flag) => members(having(flag))));
  return {
    group: [
      enough(ALL),
      ...fits(residuals(rules, ALL)),
      ...(minOwners > 1 ? owners.map((each) => enoughOwners(party, each, evidence)) : []),
      ...(maxSharePercent < 100 ? owners.flat().map((own) => share(party, evidence, own)) : []),
    ],
    filters: filtersOf(rules).map((filter) => [
      enough(having(filter)),
      ...fits(filterTests(rules, filter)),
    ]),
  };
}

/**
 * The bits of 11.12 for each slot, all tests in one batch: 13 rounds, 21 where owners are counted, and an AND tree. Nothing is
 * shown where no table has `min_owners` owners.
 */
export function* disclosed(party: Party, evidence: Evidence): Protocol<Disclosed> {
  const { rules, counts } = evidence;
  const tests = testsOf(party, evidence);
  const bits = yield* together(...tests.group, ...tests.filters.flat());
  let at = 0;
  const parts = [tests.group, ...tests.filters].map(({ length }) => bits.slice(at, (at += length)));
  const [group, ...filters] = yield* all(party, parts);
  const possible = rules.minOwners <= Math.max(1, ...rules.owners);
  return { group: possible ? group : publicPlane(party, counts[0].own.length, false), filters };
}
