/** Something that runs SQL: a store (each call on any pooled connection) or an open transaction. */
export interface Queryable {
  /**
   * Runs one statement and gives its rows; a statement without rows gives none (ask for them with `RETURNING`).
   * timestamptz comes as Date, bigint and numeric as text, jsonb parsed, bytea as Buffer.
   * @param sql with `$1`, `$2` … for the parameters
   */
  query<T = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<T[]>;
}

/** An open transaction. It may not be used after the work that it was given to has settled. */
export interface Tx extends Queryable {
  /** Calls `run` after COMMIT, in the order asked; never when the transaction is rolled back. */
  afterCommit(run: () => void): void;
}
