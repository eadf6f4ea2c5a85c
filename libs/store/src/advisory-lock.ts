import pg from 'pg';
import { withConnection } from './connection.js';

/** A lock that this process has until it gives it back or its connection dies. */
export interface HeldLock {
  /** Fires when the connection died: somebody else may have the lock now, so the work under it must stop. */
  readonly lost: AbortSignal;
  /** Gives the lock back. Harmless when it is lost or released already. */
  release(): Promise<void>;
}

/** How often the connection of held locks is proved to live, and how long the proof may take. */
const heartbeatMs = 5_000;

const key = 'hashtextextended($1, 0)';

/**
 * The one connection that carries all locks a store took with `tryLock`. Opened when first needed; when it dies all
 * of them are lost together, and the next `tryLock` opens another.
 */
export class LockSession {
  private connection: Promise<pg.Client> | null = null;
  private readonly held = new Map<string, AbortController>();
  private heartbeat: NodeJS.Timeout | undefined;

  constructor(private readonly config: pg.ClientConfig) {}

  async tryLock(name: string): Promise<HeldLock | null> {
    // Within one session Postgres would grant the lock twice.
    if (this.held.has(name)) {
      return null;
    }
    const lost = new AbortController();
    this.held.set(name, lost);
    const granted = await this.ask(name).catch((error: unknown) => {
      this.held.delete(name);
      throw error;
    });
    if (!granted) {
      this.held.delete(name);
      return null;
    }
    return { lost: lost.signal, release: () => this.release(name, lost) };
  }

  /** Closes the connection; locks still held are lost. */
  async close(): Promise<void> {
    const client = await this.connection?.catch(() => null);
    this.drop();
    await client?.end();
  }

  private async ask(name: string): Promise<boolean> {
    this.connection ??= this.connect();
    const client = await this.connection;
    const { rows } = await client.query<{ granted: boolean }>(
      `SELECT pg_try_advisory_lock(${key}) AS granted`,
      [name],
    );
    return rows[0]?.granted === true;
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...this.config, query_timeout: heartbeatMs });
    try {
      client.on('error', () => this.drop());
      client.on('end', () => this.drop());
      await client.connect();
    } catch (error) {
      this.connection = null;
      throw error;
    }
    this.heartbeat = setInterval(() => void this.prove(client), heartbeatMs).unref();
    return client;
  }

  private async prove(client: pg.Client): Promise<void> {
    await client.query('SELECT 1').catch(async () => {
      this.drop();
      await client.end().catch(() => undefined);
    });
  }

  private drop(): void {
    clearInterval(this.heartbeat);
    this.connection = null;
    for (const lost of this.held.values()) {
      lost.abort();
    }
    this.held.clear();
  }

  private async release(name: string, lost: AbortController): Promise<void> {
    if (this.held.get(name) !== lost) {
      return;
    }
    this.held.delete(name);
    const client = await this.connection;
    await client?.query(`SELECT pg_advisory_unlock(${key})`, [name]).catch(() => undefined);
  }
}

/** Waits for the lock on a connection opened for it, runs `work`, and closes the connection. */
export async function runLocked<T>(
  config: pg.ClientConfig,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const patient = { ...config, statement_timeout: 0, lock_timeout: 0 };
  return withConnection(patient, async (connection) => {
    await connection.query(`SELECT pg_advisory_lock(${key})`, [name]);
    return work();
  });
}
