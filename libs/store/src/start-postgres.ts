import type { Logger } from '@glacis/observability';

export interface PostgresOptions {
  /** The suite's data folder; the database lives in its folder `postgres`. */
  dataDir: string;
  logger: Logger;
}

export interface RunningPostgres {
  url: string;
  /** The server was running already, as the process that started it was killed. */
  adopted: boolean;
  stop(): Promise<void>;
}

export async function startPostgres(_options: PostgresOptions): Promise<RunningPostgres> {
  throw new Error('being written');
}
