import { storedBits, typeOf, type Schema, type TableSchema, type ValueType } from '@glacis/shares';
import { Refusal, type RefusalCode, type Position } from '../sql/refusal.js';
import type { ColumnName, Name, Query, TableName } from '../sql/syntax.js';

export interface ScopeColumn {
  /** Position among all columns of the tables of the query. */
  index: number;
  /** 0 for the table after FROM, 1 for the joined one. */
  table: number;
  name: string;
  type: ValueType;
  storedBits: 32 | 64;
  unique: boolean;
  privacyUnit: boolean;
}

export const refuse = (code: RefusalCode, message: string, at: Position): never => {
  throw new Refusal(code, message, at);
};

export const sameName = (name: Name, candidate: string): boolean =>
  name.quoted ? name.text === candidate : name.text.toLowerCase() === candidate.toLowerCase();

function tableNamed(schema: Schema, { name }: TableName, free: boolean): string {
  const names = [...schema.keys()];
  if (free && names.length === 1) return names[0];
  const found = names.find((candidate) => sameName(name, candidate));
  return found ?? refuse('unknown_table', 'there is no such table', name.at);
}

/** The names of one query: its tables, their aliases and columns. */
export class Scope {
  readonly columns: ScopeColumn[] = [];
  /** Declared names of the tables, in the order of the query. */
  readonly tables: string[];
  private readonly aliases: string[];

  constructor(schema: Schema, query: Query) {
    const { table, join } = query;
    const parts = join ? [table, join.table] : [table];
    this.tables = parts.map((part) => tableNamed(schema, part, !join));
    if (join && this.tables[0] === this.tables[1])
      refuse('self_join', 'a table is not joined with itself', join.table.name.at);
    this.aliases = parts.map(({ name, alias }) => (alias ?? name).text);
    if (
      join &&
      sameName({ ...join.table.name, text: this.aliases[1], quoted: false }, this.aliases[0])
    )
      refuse('syntax', 'both tables have the same alias', (join.table.alias ?? join.table.name).at);
    this.tables.forEach((name, index) => this.add(schema.get(name) ?? {}, index));
  }

  /** The columns that a name may mean. */
  find({ table, name }: ColumnName): ScopeColumn[] {
    return this.columns.filter(
      (column) =>
        sameName(name, column.name) && (!table || sameName(table, this.aliases[column.table])),
    );
  }

  resolve(column: ColumnName): ScopeColumn {
    const { table, name, at } = column;
    if (table && !this.aliases.some((alias) => sameName(table, alias)))
      refuse('unknown_table', 'there is no such table in FROM', table.at);
    const found = this.find(column);
    if (found.length > 1) refuse('ambiguous_column', 'both tables have this column', at);
    return found[0] ?? refuse('unknown_column', 'there is no such column', name.at);
  }

  private add(columns: TableSchema, table: number): void {
    for (const [name, declaration] of Object.entries(columns)) {
      const marks = typeof declaration === 'string' ? {} : declaration;
      this.columns.push({
        index: this.columns.length,
        table,
        name,
        type: typeOf(declaration),
        storedBits: storedBits(declaration),
        unique: marks.unique === true,
        privacyUnit: marks.privacy_unit === true,
      });
    }
  }
}
