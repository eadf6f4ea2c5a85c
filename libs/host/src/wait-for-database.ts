import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@glacis/observability';
import { backoffMs, StartError } from '@glacis/runtime';
import { withConnection } from '@glacis/store';

const connectLimitMs = 5_000;
const retry = { initialMs: 100, factor: 2, maxMs: 2_000, jitter: 0.2 };

/** SQLSTATE of what waiting does not cure: a wrong password or role (28), a database that does not exist (3D). */
const final = /^(28|3D)/;

/**
 * Waits until the database takes connections, as it may start after us.
 * @throws {StartError} at the limit, or at once for what the operator has to correct
 */
export async function waitForDatabase(
  url: string,
  { limitMs, logger }: { limitMs: number; logger: Logger },
): Promise<void> {
  const end = performance.now() + limitMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await withConnection(
        { connectionString: url, connectionTimeoutMillis: connectLimitMs },
        async (connection) => void (await connection.query('SELECT 1')),
      );
    } catch (error) {
      const reason = reasonOf(error);
      if (final.test(codeOf(error)) || performance.now() >= end) {
        throw new StartError(`DATABASE_URL: ${placeOf(url)}: ${reason}`);
      }
      logger.warn({ database: placeOf(url), reason }, 'waiting for the database');
    }
    await sleep(backoffMs(retry, attempt));
  }
}

/** Host and database of the URL; the password in it is nobody's business. */
function placeOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'the URL';
  }
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';

/** A connection that was refused on every address of a name has no text of its own. */
const reasonOf = (error: unknown): string => (error as Error).message || codeOf(error);
