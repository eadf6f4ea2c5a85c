export type { Queryable, Tx } from './queryable.js';
export { pageOf, type Page } from './page.js';
export {
  conflictOf,
  DatabaseUnreachableError,
  TransactionAbortedError,
  TransactionEndedError,
} from './errors.js';
export { migration, type MigrationClass } from './migration.js';
export { openStore, Store, type StoreOptions } from './store.js';
export { withConnection } from './connection.js';
export type { HeldLock } from './advisory-lock.js';
export { DATABASE_URL, StoreModule } from './store.module.js';
export {
  startPostgres,
  type PostgresOptions,
  type RunningPostgres,
} from './postgres/start-postgres.js';
export { DataFolderInUseError } from './postgres/folder-lock.js';
export { UnreachableFolderError } from './postgres/server-user.js';
