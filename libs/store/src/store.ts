import { backoffMs } from '@glacis/runtime';
import type { Logger } from '@glacis/observability';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { LockSession, nudgeSql, runLocked, type HeldLock } from './advisory-lock.js';
import { clientConfig, dataSourceOf, type ConnectionOptions } from './data-source.js';
import { coded, isRetryable } from './errors.js';
import { migrate } from './migrate.js';
import type { MigrationClass } from './migration.js';
import type { Queryable, Tx } from './queryable.js';
import { Statements } from './statements.js';
import { runTransaction } from './transaction.js';

export interface StoreOptions extends ConnectionOptions {
  migrations: MigrationClass[];
  logger: Logger;
}

/** Times that a transaction is run again after a serialization failure or a deadlock. */
const retries = 3;
const retryDelay = { initialMs: 10, factor: 3, maxMs: 100, jitter: 0.5 };

/**
 * One service's part of the database: a schema of its own, which is the only search path of its connections.
 * Statements run on the connection pool of a TypeORM data source, without the cost of a query runner each.
 */
export class Store implements Queryable {
  readonly service: string;
  private readonly pool: Pool;
  private readonly statements = new Statements();
  private readonly locks: LockSession;

  constructor(
    private readonly source: DataSource,
    private readonly options: StoreOptions,
  ) {
    this.service = options.service;
    this.pool = (source.driver as unknown as { master: Pool }).master;
    this.locks = new LockSession(clientConfig(options));
  }

  async query<T = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    try {
      return await this.ask<T>(sql, params);
    } catch (error) {
      if (this.statements.outdatedBy(error)) {
        return this.ask<T>(sql, params);
      }
      throw error;
    }
  }

  /**
   * Runs `work` in one transaction: BEGIN, its statements, COMMIT. A serialization failure or a deadlock runs it
   * again, up to 3 times, so the work may have no effect but on `tx`; everything else belongs into `afterCommit`.
   * @throws what the work throws, after ROLLBACK
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { result, afterCommit } = await runTransaction(this.pool, this.statements, work);
        afterCommit.forEach((run) => this.announce(run));
        return result;
      } catch (error) {
        const again = this.statements.outdatedBy(error) || isRetryable(error);
        if (attempt > retries || !again) {
          throw error;
        }
        await sleep(backoffMs(retryDelay, attempt));
      }
    }
  }

  /** Waits for the named lock of this service, on a connection of its own, and holds it while `work` runs. */
  async withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
    return runLocked(clientConfig(this.options), this.lockName(name), work);
  }

  /**
   * Takes the named lock of this service if nobody has it, in this process or another; null if somebody has.
   * It is held until released, or until `lost` fires because the connection died.
   * @param onNudge called when somebody calls `nudge` while this process holds the lock
   */
  async tryLock(name: string, onNudge: () => void = () => undefined): Promise<HeldLock | null> {
    return this.locks.tryLock(this.lockName(name), onNudge);
  }

  /**
   * Tells the process that holds the named lock of this service, this one or another, that there is work for it. It is
   * not stored: where nobody holds the lock, or its connection just broke, nobody hears it.
   */
  async nudge(name: string): Promise<void> {
    await this.ask(nudgeSql, [this.lockName(name)]);
  }

  /** Rejects when the database cannot be asked. */
  async ping(): Promise<void> {
    await this.ask('SELECT 1');
  }

  /** Waits for the statements under way and closes every connection; locks are released. */
  async close(): Promise<void> {
    await this.locks.close();
    // Its connections end a moment after the pool, and a server that stops meanwhile is no news to anybody.
    this.pool.removeAllListeners('error').on('error', () => undefined);
    await this.source.destroy();
  }

  private async ask<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    try {
      return (await this.pool.query(this.statements.prepare(sql, params))).rows as T[];
    } catch (error) {
      throw coded(error);
    }
  }

  /** A callback that throws is a fault of its author; the transaction is committed all the same. */
  private announce(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.options.logger.error({ err: error }, 'callback after commit failed');
    }
  }

  private lockName(name: string): string {
    return `${this.service}:${name}`;
  }
}

/** Connects a service to its schema, after running the migrations that are pending. */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(options.service)) {
    throw new Error(`not a name for a schema: ${options.service}`);
  }
  await migrate(options);
  const source = dataSourceOf(options);
  await source.initialize();
  return new Store(source, options);
}
