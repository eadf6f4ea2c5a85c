import type { Logger } from '@glacis/observability';
import { AbstractLogger, DataSource } from 'typeorm';
import type { MigrationClass } from './migration.js';

export interface ConnectionOptions {
  /** The service; its schema bears the same name. Lower-case letters, digits, `_` and `-`. */
  service: string;
  /** `postgresql://user:password@host:port/database`; a percent-encoded path as host is a socket folder. */
  url: string;
  /** Connections at most. Default 10. */
  poolSize?: number;
  /**
   * Milliseconds that one statement may take. Default 30,000; 0 for no bound. A server that does not even end it then
   * is given up 2 s later.
   */
  statementTimeoutMs?: number;
  /** Milliseconds that one statement may wait for a lock. Default 10,000; 0 for no bound. */
  lockTimeoutMs?: number;
}

/** Milliseconds to wait for a free or new connection. */
const connectTimeoutMs = 10_000;

/** Milliseconds past its bound after which a statement fails here, as the server cannot end it: it may be frozen. */
const answerMarginMs = 2_000;

/** What a `pg` connection of the service needs: its schema as the only search path, and the time bounds. */
export function clientConfig(o: ConnectionOptions): {
  connectionString: string;
  application_name: string;
  options: string;
  statement_timeout: number;
  /** Absent: no bound. */
  query_timeout?: number;
  lock_timeout: number;
  idle_in_transaction_session_timeout: number;
  connectionTimeoutMillis: number;
  keepAlive: boolean;
} {
  const statementTimeout = o.statementTimeoutMs ?? 30_000;
  return {
    connectionString: o.url,
    application_name: `glacis-${o.service}`,
    // A plan that is kept must suit the table when it has grown: what an index can serve is read through the index.
    options: `-c search_path=${o.service} -c TimeZone=UTC -c enable_seqscan=off`,
    statement_timeout: statementTimeout,
    ...(statementTimeout > 0 && { query_timeout: statementTimeout + answerMarginMs }),
    lock_timeout: o.lockTimeoutMs ?? 10_000,
    idle_in_transaction_session_timeout: 60_000,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  };
}

/** TypeORM would write to standard output; what matters is in its errors. */
class NoLog extends AbstractLogger {
  protected writeLog(): void {}
}

/** The TypeORM data source of a service; the caller initializes and destroys it. */
export function dataSourceOf(
  o: ConnectionOptions & { logger: Logger; migrations?: MigrationClass[] },
): DataSource {
  return new DataSource({
    type: 'postgres',
    url: o.url,
    schema: o.service,
    installExtensions: false,
    migrations: o.migrations ?? [],
    migrationsTransactionMode: 'each',
    logger: new NoLog(),
    poolSize: o.poolSize ?? 10,
    // The error as a whole carries the connection with its settings, which is none of a log's business.
    poolErrorHandler: (error: Error) =>
      o.logger.warn({ service: o.service, reason: error.message }, 'database connection lost'),
    extra: clientConfig(o),
  });
}
