import { MigrationExecutor } from 'typeorm';
import type { Logger } from '@glacis/observability';
import { dataSourceOf, type ConnectionOptions } from './data-source.js';
import type { MigrationClass } from './migration.js';

/**
 * Creates the service's schema if missing and runs its pending migrations, each in a transaction of its own. Of
 * several processes that start at once one does it and the others wait.
 */
export async function migrate(
  o: ConnectionOptions & { logger: Logger; migrations: MigrationClass[] },
): Promise<void> {
  const source = dataSourceOf({ ...o, poolSize: 1, statementTimeoutMs: 0, lockTimeoutMs: 0 });
  await source.initialize();
  try {
    const runner = source.createQueryRunner();
    // The lock belongs to the session, and so ends with the connection.
    await runner.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [
      `migrate:${o.service}`,
    ]);
    await runner.query(`CREATE SCHEMA IF NOT EXISTS "${o.service}"`);
    const executor = new MigrationExecutor(source, runner);
    executor.transaction = 'each';
    const done = await executor.executePendingMigrations();
    if (done.length > 0) {
      o.logger.info(
        { service: o.service, migrations: done.map((each) => each.name) },
        'database schema migrated',
      );
    }
  } finally {
    await source.destroy();
  }
}
