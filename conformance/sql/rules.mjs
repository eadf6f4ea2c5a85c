// The disclosure rules of jobs.md 11.12, evaluated in the open over the rows of one group: each row has its `unit` (undefined
// where rows are counted), the `owners` of its tables and the `filters` that hold in it.

const members = (rows) =>
  rows.every(({ unit }) => unit === undefined)
    ? rows.length
    : new Set(rows.map(({ unit }) => unit)).size;

/** Members are none, or enough of them. */
const enoughOrNone = (rows, k) => {
  const count = members(rows);
  return count === 0 || count >= k;
};

/** Pairs of a table whose owners are told apart, and one of them. */
const ownersOf = ({ owners }) =>
  owners.flatMap((count, table) =>
    count > 1 ? Array.from({ length: count }, (_, owner) => ({ table, owner })) : [],
  );

function fits(rows, rules) {
  const { minGroupSize: k, residual } = rules;
  const others = ({ table, owner }) => rows.filter(({ owners }) => owners[table] !== owner);
  return (
    enoughOrNone(rows, k) &&
    (!residual || ownersOf(rules).every((own) => enoughOrNone(others(own), k)))
  );
}

function groupShown(rows, rules) {
  const { minGroupSize, minOwners, maxSharePercent, owners } = rules;
  const all = members(rows);
  const own = ({ table, owner }) => members(rows.filter((row) => row.owners[table] === owner));
  const tables = owners.map((_, table) => ownersOf(rules).filter((each) => each.table === table));
  return (
    all >= minGroupSize &&
    fits(rows, rules) &&
    minOwners <= Math.max(1, ...owners) &&
    tables.every(
      (each) => each.length === 0 || each.filter((one) => own(one) >= 1).length >= minOwners,
    ) &&
    (maxSharePercent >= 100 ||
      ownersOf(rules).every((each) => 100 * own(each) <= maxSharePercent * all))
  );
}

function filterShown(rows, filter, rules) {
  const where = (test) => rows.filter(({ filters }) => test(filters));
  const earlier = Array.from({ length: filter }, (_, index) => index);
  return (
    members(where((f) => f[filter])) >= rules.minGroupSize &&
    fits(
      where((f) => f[filter]),
      rules,
    ) &&
    fits(
      where((f) => !f[filter]),
      rules,
    ) &&
    earlier.every(
      (other) =>
        fits(
          where((f) => f[filter] && !f[other]),
          rules,
        ) &&
        fits(
          where((f) => f[other] && !f[filter]),
          rules,
        ),
    )
  );
}

/** Whether a group is shown, and for each filter whether its aggregates are. */
export const disclosed = (rows, rules, filters) => ({
  group: groupShown(rows, rules),
  filters: Array.from(filters, (_, filter) => filterShown(rows, filter, rules)),
});
