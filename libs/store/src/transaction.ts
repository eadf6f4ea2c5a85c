import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import {
  coded,
  DatabaseUnreachableError,
  TransactionAbortedError,
  TransactionEndedError,
} from './errors.js';
import type { Tx } from './queryable.js';
import type { Statements } from './statements.js';

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw coded(error);
  }
}

async function ask(client: PoolClient, query: string | QueryConfig): Promise<QueryResult> {
  try {
    return await client.query(query);
  } catch (error) {
    throw coded(error);
  }
}

class OpenTransaction implements Tx {
  private ended = false;
  readonly callbacks: (() => void)[] = [];

  constructor(
    private readonly client: PoolClient,
    private readonly statements: Statements,
  ) {}

  async query<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    if (this.ended) {
      throw new TransactionEndedError();
    }
    const result = await ask(this.client, this.statements.prepare(sql, params));
    return result.rows as T[];
  }

  afterCommit(run: () => void): void {
    this.callbacks.push(run);
  }

  end(): void {
    this.ended = true;
  }
}

export interface Committed<T> {
  /** What the work gave. */
  result: T;
  afterCommit: (() => void)[];
}

/** A connection that dies between two statements says so by an event; the next statement then fails. */
const ignore = (): void => undefined;

async function commit(client: PoolClient): Promise<void> {
  const { command } = await ask(client, 'COMMIT');
  // The server answers COMMIT of a failed transaction with ROLLBACK, and with no error.
  if (command !== 'COMMIT') {
    throw new TransactionAbortedError();
  }
}

/** Gives the connection back once it is out of the transaction; one that cannot roll back is closed instead. */
async function rollBack(client: PoolClient, cause: unknown): Promise<void> {
  if (cause instanceof DatabaseUnreachableError) {
    client.release(cause);
    return;
  }
  await client.query('ROLLBACK').then(
    () => client.release(),
    (error: Error) => client.release(error),
  );
}

/**
 * BEGIN, the work's statements, COMMIT; ROLLBACK when the work fails. The connection always goes back to the pool,
 * before what `afterCommit` was given is to be called.
 * @throws what the work or the database threw
 */
export async function runTransaction<T>(
  pool: Pool,
  statements: Statements,
  work: (tx: Tx) => Promise<T>,
): Promise<Committed<T>> {
  const client = await connect(pool);
  client.on('error', ignore);
  const tx = new OpenTransaction(client, statements);
  let result: T;
  try {
    await ask(client, 'BEGIN');
    result = await work(tx);
    tx.end();
    await commit(client);
  } catch (error) {
    tx.end();
    await rollBack(client, error);
    throw error;
  } finally {
    client.off('error', ignore);
  }
  client.release();
  return { result, afterCommit: tx.callbacks };
}
