// Random queries of the grammar of jobs.md 11.2. Every part comes in two texts: `sql` for the engine, `duck` for DuckDB, where
// categories are their positions and numbers are decimals.
import { decimal } from './tables.mjs';

const both = (sql, duck = sql) => ({ sql, duck });
const text = (words) => `'${words.replaceAll("'", "''")}'`;

/** Writes queries over some tables. */
export class Writer {
  #random;
  #tables;
  #qualified;

  constructor(random, tables) {
    this.#random = random;
    this.#tables = tables;
    this.#qualified = tables.length > 1;
    this.columns = tables.flatMap(({ name, columns }, table) =>
      columns.map((column) => ({
        ...column,
        table,
        sql: this.#qualified ? `${name}.${column.name}` : column.name,
        duck: `${name}.${column.name}`,
      })),
    );
  }

  of(...kinds) {
    return this.columns.filter(({ kind }) => kinds.includes(kind));
  }

  from() {
    const [first, second] = this.#tables;
    if (!second) return both(first.name);
    const pair = this.#random.chance(0.5) ? [first.name, second.name] : [second.name, first.name];
    const on = `ON ${first.name}.ref = ${second.name}.id`;
    return both(`${pair[0]} JOIN ${pair[1]} ${on}`);
  }

  number(scale = this.#random.between(0, 2)) {
    const digits = BigInt(this.#random.between(-2000, 2000));
    return { ...both(decimal(digits, scale)), scale };
  }

  /** An expression of numbers; columns of some kinds are refused for their ranges, which is a result as well. */
  value(depth = 2) {
    const random = this.#random;
    const numbers = this.of('number');
    if (depth === 0 || numbers.length === 0 || random.chance(0.5))
      return numbers.length > 0 && random.chance(0.85) ? random.pick(numbers) : this.number();
    if (random.chance(0.1)) {
      const inner = this.value(depth - 1);
      return both(`-(${inner.sql})`, `-(${inner.duck})`);
    }
    const [left, right] = [this.value(depth - 1), this.value(depth - 1)];
    const operator = random.pick(['+', '-', '*']);
    return both(
      `(${left.sql} ${operator} ${right.sql})`,
      `(${left.duck} ${operator} ${right.duck})`,
    );
  }

  relation() {
    return this.#random.pick(['=', '<>', '<', '<', '<=', '<=', '>', '>', '>=', '>=']);
  }

  #constantOf(column) {
    const random = this.#random;
    if (column.kind === 'label') {
      const index = random.below(column.labels.length);
      return both(text(column.labels[index]), String(index));
    }
    if (column.kind === 'date') return both(`DATE ${text(column.cell())}`);
    if (column.kind === 'number') return both(decimal(column.cell(), column.scale));
    return both(text(random.pick(column.words)));
  }

  #compare() {
    const random = this.#random;
    const column = random.pick(this.columns);
    if (column.kind === 'number') {
      const bare = random.chance(0.5);
      const left = bare ? column : this.value();
      const right = bare ? this.#constantOf(column) : random.pick([this.value(1), this.number()]);
      const relation = this.relation();
      return both(`${left.sql} ${relation} ${right.sql}`, `${left.duck} ${relation} ${right.duck}`);
    }
    const relation = column.kind === 'hash' ? random.pick(['=', '<>']) : this.relation();
    const constant = this.#constantOf(column);
    return both(
      `${column.sql} ${relation} ${constant.sql}`,
      `${column.duck} ${relation} ${constant.duck}`,
    );
  }

  #between() {
    const random = this.#random;
    const candidates = this.of('number', 'date', 'text', 'label');
    if (candidates.length === 0) return this.#compare();
    const column = random.pick(candidates);
    const [low, high] = [this.#constantOf(column), this.#constantOf(column)];
    const word = random.pick(['BETWEEN', 'NOT BETWEEN']);
    return both(
      `${column.sql} ${word} ${low.sql} AND ${high.sql}`,
      `${column.duck} ${word} ${low.duck} AND ${high.duck}`,
    );
  }

  #in() {
    const random = this.#random;
    const column = random.pick(this.columns);
    const constants = random.times(1, 4, () => this.#constantOf(column));
    const word = random.pick(['IN', 'NOT IN']);
    const list = (form) => constants.map((constant) => constant[form]).join(', ');
    return both(
      `${column.sql} ${word} (${list('sql')})`,
      `${column.duck} ${word} (${list('duck')})`,
    );
  }

  condition(depth = 2) {
    const random = this.#random;
    const kind = random.below(depth > 0 ? 10 : 6);
    if (kind < 3) return this.#compare();
    if (kind < 4) return this.#between();
    if (kind < 6) return this.#in();
    if (kind < 7) {
      const inner = this.condition(depth - 1);
      return both(`NOT (${inner.sql})`, `NOT (${inner.duck})`);
    }
    const [left, right] = [this.condition(depth - 1), this.condition(depth - 1)];
    const word = random.pick(['AND', 'OR']);
    return both(`(${left.sql}) ${word} (${right.sql})`, `(${left.duck}) ${word} (${right.duck})`);
  }

  /** A call of an aggregate; `filter` is a position in the list of filters. */
  #aggregate(filters) {
    const random = this.#random;
    const name = random.pick(['COUNT', 'COUNT', 'SUM', 'SUM', 'AVG', 'MIN', 'MAX', 'DISTINCT']);
    if (name === 'DISTINCT') {
      const column = random.pick(this.columns);
      return { ...both(`COUNT(DISTINCT ${column.sql})`), call: name, argument: column };
    }
    const filter = random.chance(0.3) ? random.below(filters.length) : undefined;
    const argument = this.#argument(name);
    const call =
      name === 'COUNT' ? random.pick(['COUNT(*)', 'COUNT(1)']) : `${name}(${argument.sql})`;
    const where = filter === undefined ? '' : ` FILTER (WHERE ${filters[filter].sql})`;
    const asCase = filter !== undefined && name !== 'COUNT' && random.chance(0.3);
    const sql = asCase
      ? `${name}(CASE WHEN ${filters[filter].sql} THEN ${argument.sql}${name === 'SUM' ? ' ELSE 0' : ''} END)`
      : call + where;
    return { sql, call: name, argument, filter };
  }

  #argument(name) {
    if (name === 'COUNT') return undefined;
    if (name !== 'MIN' && name !== 'MAX') return this.value(1);
    const columns = this.of('number', 'date', 'label', 'text');
    return columns.length > 0 ? this.#random.pick(columns) : this.value(1);
  }

  /** An item that is computed when the result is opened. */
  #opening(filters) {
    const random = this.#random;
    const numbers = this.of('number');
    if (random.chance(0.4) && numbers.length > 0) {
      const column = random.pick(numbers);
      const name = random.pick(['VARIANCE', 'VAR_POP', 'STDDEV', 'STDDEV_POP']);
      return { sql: `${name}(${column.sql})`, statistic: name, argument: column };
    }
    const parts = [this.#numeric(filters), this.#numeric(filters)];
    const operator = random.pick(['+', '-', '*', '/']);
    return { sql: `${parts[0].sql} ${operator} ${parts[1].sql}`, operator, parts };
  }

  #numeric(filters) {
    for (;;) {
      const found = this.#aggregate(filters);
      const { call, argument } = found;
      if ((call !== 'MIN' && call !== 'MAX') || argument.kind === 'number') return found;
    }
  }

  /** A comparison of an aggregate that HAVING may use. */
  #having(filters, keys) {
    const random = this.#random;
    if (keys.length > 0 && random.chance(0.2)) {
      const key = random.pick(keys);
      const relation = key.kind === 'hash' ? '=' : this.relation();
      return { key, relation, constant: this.#constantOf(key) };
    }
    const aggregate = this.#numeric(filters);
    return { aggregate, relation: this.relation(), constant: this.number() };
  }

  /** SELECT of raw rows. */
  rows() {
    const random = this.#random;
    const shown = this.columns.filter(({ kind }) => kind !== 'hash');
    // Of two tables * shows the one after FROM first, which is drawn later.
    const all = this.#tables.length === 1 && shown.length === this.columns.length;
    const star = all && random.chance(0.2);
    const columns = star ? this.columns : random.some(shown, random.between(1, 4));
    const items = columns.map((column) => ({ column }));
    return { shape: 'rows', items, all: star, ...this.#rest(columns.length) };
  }

  #rest(outputs) {
    const random = this.#random;
    return {
      from: this.from(),
      where: random.chance(0.5) ? this.condition() : undefined,
      order: random.chance(0.4)
        ? random
            .some([...Array(outputs).keys()], random.between(1, 2))
            .map((output) => ({ output, descending: random.chance(0.5) }))
        : [],
      limit: random.chance(0.2) ? random.between(random.below(2), 8) : undefined,
    };
  }

  /** SELECT of groups, or of the whole as one group. */
  groups(global) {
    const random = this.#random;
    const filters = random.times(1, 3, () => this.condition(1));
    const keys = global ? [] : random.some(this.columns, random.between(1, 2));
    const shown = keys.filter(({ kind }) => kind !== 'hash' && random.chance(0.9));
    const calls = random.times(1, 4, () =>
      random.chance(0.15) ? this.#opening(filters) : this.#aggregate(filters),
    );
    const items = [...shown.map((column) => ({ column })), ...calls];
    const having = random.chance(0.3)
      ? random.times(1, 2, () => this.#having(filters, keys))
      : undefined;
    const rest = this.#rest(items.length);
    return { shape: global ? 'global' : 'groups', keys, filters, items, having, ...rest };
  }

  /** SELECT DISTINCT, which groups by what it shows. */
  distinct() {
    const shown = this.columns.filter(({ kind }) => kind !== 'hash');
    const keys = this.#random.some(shown, this.#random.between(1, 2));
    const items = keys.map((column) => ({ column }));
    return {
      shape: 'groups',
      distinct: true,
      keys,
      filters: [],
      items,
      ...this.#rest(items.length),
    };
  }

  query() {
    const kind = this.#random.below(20);
    const shown = this.columns.some(({ kind: each }) => each !== 'hash');
    if (kind < 3 && shown) return this.rows();
    if (kind < 4 && shown) return this.distinct();
    return this.groups(kind < 8);
  }
}

const itemText = (item) => (item.column ? item.column.sql : item.sql);

const clause = (word, parts, glue = ', ') =>
  parts.length > 0 ? `${word} ${parts.join(glue)}` : undefined;

/** The text that the engine compiles. */
export function sqlOf({ items, from, where, keys = [], having = [], order, limit, ...query }) {
  const list = items.map((item, index) => `${itemText(item)} AS o${index}`);
  const conditions = having.map(({ key, aggregate, relation, constant }) =>
    [(key ?? aggregate).sql, relation, constant.sql].join(' '),
  );
  const ordered = order.map(
    ({ output, descending }) => `${output + 1}${descending ? ' DESC' : ''}`,
  );
  const grouped = query.distinct ? [] : keys.map(({ sql }) => sql);
  return [
    clause(query.distinct ? 'SELECT DISTINCT' : 'SELECT', query.all ? ['*'] : list),
    clause('FROM', [from.sql]),
    clause('WHERE', where ? [where.sql] : []),
    clause('GROUP BY', grouped),
    clause('HAVING', conditions, ' AND '),
    clause('ORDER BY', ordered),
    clause('LIMIT', limit === undefined ? [] : [limit]),
  ]
    .filter(Boolean)
    .join('\n');
}
