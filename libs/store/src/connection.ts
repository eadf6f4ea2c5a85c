import pg from 'pg';
import type { Queryable } from './queryable.js';

/**
 * Opens one connection outside of any pool, for maintenance, and closes it after `work`.
 * @param config the URL, or how `pg` is to connect
 */
export async function withConnection<T>(
  config: string | pg.ClientConfig,
  work: (connection: Queryable) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(config);
  // A connection that dies says so by this event; what is asked of it next then fails.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work({
      query: async <R>(sql: string, params?: readonly unknown[]) =>
        (await client.query(sql, params as unknown[])).rows as R[],
    });
  } finally {
    await client.end();
  }
}
