import type { Queryable } from './queryable.js';

/** What a list shows, in SQL; `from` with its WHERE, where it has one. */
export interface ListSql {
  select: string;
  from: string;
  orderBy: string;
}

export interface Page<Row> {
  /** Rows there are, on this page or not. */
  total: number;
  rows: Row[];
}

/**
 * One page of a list. Rows and total are of one moment: of two statements the second may see what the first did not.
 * @param params those of `from`, `$1` to `$n`
 */
export async function pageOf<Row extends object>(
  db: Queryable,
  { select, from, orderBy }: ListSql,
  params: readonly unknown[],
  { offset, limit }: { offset: number; limit: number },
): Promise<Page<Row>> {
  const count = `SELECT count(*) FROM ${from}`;
  const n = params.length;
  const found = await db.query<Row & { page_total: string }>(
    `SELECT ${select}, (${count}) AS page_total FROM ${from}
     ORDER BY ${orderBy} OFFSET $${n + 1} LIMIT $${n + 2}`,
    [...params, offset, limit],
  );
  const [first] = found;
  if (first !== undefined) return { total: Number(first.page_total), rows: found };
  // A page behind the last one tells nothing of those before it.
  const [counted] = offset === 0 ? [] : await db.query<{ count: string }>(count, params);
  return { total: Number(counted?.count ?? 0), rows: [] };
}
