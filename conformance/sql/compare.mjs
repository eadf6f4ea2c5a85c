// Whether an opened result is one that a query may have: every row of it is expected, none is missing, order and limit hold.
import { comparable, compareValues } from './oracle.mjs';
import { rational } from './rational.mjs';

const isNumber = (value) => typeof value === 'object' && value !== null;

/** A cell of the oracle as text that equal cells share. */
function canonical({ value, suppressed }, column) {
  if (suppressed) return 'suppressed';
  if (value === null) return 'null';
  const { kind, labels } = column.type;
  if (kind === 'number') return fraction(isNumber(value) ? value : rational(value));
  if (kind === 'label' && /^\d+$/.test(String(value))) return labels[Number(value)];
  return String(value);
}

function fraction({ over, under }) {
  let [a, b] = [over < 0n ? -over : over, under];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? '0' : `${over / a}/${under / a}`;
}

const shown = ({ text, suppressed }, { type }) => {
  if (suppressed) return 'suppressed';
  if (text === null) return 'null';
  return type.kind === 'number' ? fraction(rational(text)) : text;
};

function counted(rows) {
  const counts = new Map();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  return counts;
}

/** What a cell is ordered by; held back ones are zero. */
function orderValue(cell, column) {
  const { kind } = column.type;
  if (cell.value === null)
    return kind === 'date'
      ? '1970-01-01'
      : comparable(kind, kind === 'number' ? '0' : column.type.labels[0]);
  if (isNumber(cell.value)) return cell.value;
  if (kind === 'label' && !/^\d+$/.test(String(cell.value)))
    return rational(String(column.type.labels.indexOf(cell.value)));
  return comparable(kind, String(cell.value));
}

function sorted(rows, order, columns) {
  return rows.toSorted((a, b) => {
    for (const { output, descending } of order) {
      const [x, y] = [a, b].map((row) => orderValue(row[output], columns[output]));
      const found = compareValues(x, y);
      if (found !== 0) return descending ? -found : found;
    }
    return 0;
  });
}

const keyText = (value) => (isNumber(value) ? fraction(value) : value);

/** @returns what differs, or undefined */
export function difference(query, wanted, { columns, rows }) {
  const { order, limit = Infinity } = query;
  const expectedRows = wanted.map((row) =>
    row.map((cell, k) => canonical(cell, columns[k])).join(' | '),
  );
  const found = rows.map((row) => row.map((cell, k) => shown(cell, columns[k])).join(' | '));
  const count = Math.min(wanted.length, limit);
  if (found.length !== count)
    return `${found.length} rows instead of ${count}: ${found.join('; ')} instead of ${expectedRows.join('; ')}`;
  const left = counted(expectedRows);
  for (const row of found) {
    const times = left.get(row) ?? 0;
    if (times === 0) return `the row ${row} is not expected: ${[...left.keys()].join('; ')}`;
    left.set(row, times - 1);
  }
  if (order.length === 0) return undefined;
  // Rows of the oracle by their text, so that what is ordered by a cell that is held back is known.
  const byText = new Map(expectedRows.map((text, index) => [text, wanted[index]]));
  const keys = (list) =>
    list.map((row) =>
      order.map(({ output }) => keyText(orderValue(row[output], columns[output]))).join(' | '),
    );
  const first = keys(sorted(wanted, order, columns)).slice(0, count);
  const own = keys(found.map((text) => byText.get(text)));
  const at = own.findIndex((each, index) => each !== first[index]);
  return at < 0 ? undefined : `row ${at + 1} is ordered by ${own[at]} instead of ${first[at]}`;
}
