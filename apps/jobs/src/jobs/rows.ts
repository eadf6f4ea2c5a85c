import type { Tx } from '@glacis/store';

const camelCase = (column: string): string =>
  column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The members of an entity from its row, whose columns have their names in snake case. */
export function entityOf<T>(row: Record<string, unknown>): T {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [camelCase(column), value]),
  ) as T;
}

const snakeCase = (member: string): string =>
  member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Lists and objects are kept as JSON. */
function columnOf(value: unknown): unknown {
  const plain = typeof value === 'object' && value !== null;
  return plain && !(value instanceof Date) && !Buffer.isBuffer(value)
    ? JSON.stringify(value)
    : value;
}

/** Inserts an entity, each member into the column of its name. */
export async function insert(tx: Tx, table: string, entity: object): Promise<void> {
  const members = Object.entries(entity);
  await tx.query(
    `INSERT INTO ${table} (${members.map(([member]) => snakeCase(member)).join(', ')})
     VALUES (${members.map((_, i) => `$${i + 1}`).join(', ')})`,
    members.map(([, value]) => columnOf(value)),
  );
}
