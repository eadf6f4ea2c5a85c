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

/**
 * Silence after which the server ends such a connection, and with it the locks, for a process that is cut off from the
 * network. That process has noticed and stopped before.
 */
const silenceLimitMs = 3 * heartbeatMs;

/** Channel on which the holders of locks are nudged; the payload is the lock's name. */
const channel = 'glacis_locks';

/** Tells whoever holds the lock, in this process or another, that there is work for it. Nobody may hold it. */
export const nudgeSql = `SELECT pg_notify('${channel}', $1)`;

const key = 'hashtextextended($1, 0)';

interface Holding {
  lost: AbortController;
  onNudge: () => void;
}

/** A connection that carries locks. When it dies all of them are lost together. */
class LockConnection {
  private readonly held = new Map<string, Holding>();
  private readonly heartbeat: NodeJS.Timeout;
  private ended = false;

  private constructor(
    private readonly client: pg.Client,
    private readonly onEnd: () => void,
  ) {
    client.on('error', () => this.end());
    client.on('end', () => this.end());
    client.on('notification', ({ payload = '' }) => this.held.get(payload)?.onNudge());
    this.heartbeat = setInterval(() => void this.prove(), heartbeatMs).unref();
  }

  static async open(config: pg.ClientConfig, onEnd: () => void): Promise<LockConnection> {
    const client = new pg.Client({
      ...config,
      query_timeout: heartbeatMs,
      options: `${config.options ?? ''} -c idle_session_timeout=${silenceLimitMs}`,
    });
    const connection = new LockConnection(client, onEnd);
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      return connection;
    } catch (error) {
      connection.end();
      void client.end().catch(() => undefined);
      throw error;
    }
  }

  async tryLock(name: string, onNudge: () => void): Promise<HeldLock | null> {
    // Within one session Postgres would grant the lock twice.
    if (this.held.has(name)) {
      return null;
    }
    const lost = new AbortController();
    this.held.set(name, { lost, onNudge });
    const granted = await this.ask(name).catch((error: unknown) => {
      this.held.delete(name);
      throw error;
    });
    if (granted) {
      return { lost: lost.signal, release: () => this.release(name, lost) };
    }
    this.held.delete(name);
    return null;
  }

  async close(): Promise<void> {
    this.end();
    await this.client.end().catch(() => undefined);
  }

  private async ask(name: string): Promise<boolean> {
    const sql = `SELECT pg_try_advisory_lock(${key}) AS granted`;
    const { rows } = await this.client.query<{ granted: boolean }>(sql, [name]);
    return rows[0]?.granted === true;
  }

  private async release(name: string, lost: AbortController): Promise<void> {
    if (this.held.get(name)?.lost !== lost) {
      return;
    }
    const unlock = this.client.query(`SELECT pg_advisory_unlock(${key})`, [name]);
    await unlock.catch(() => undefined);
    this.held.delete(name);
  }

  private async prove(): Promise<void> {
    await this.client.query('SELECT 1').catch(() => this.close());
  }

  private end(): void {
    if (this.ended) {
      return;
    }
    this.ended = true;
    clearInterval(this.heartbeat);
    this.onEnd();
    for (const { lost } of this.held.values()) {
      lost.abort();
    }
    this.held.clear();
  }
}

/**
 * All locks that a store took with `tryLock`, on one connection, which is opened when first needed. When it dies the
 * next `tryLock` opens another.
 */
export class LockSession {
  private connection: Promise<LockConnection> | null = null;

  constructor(private readonly config: pg.ClientConfig) {}

  async tryLock(name: string, onNudge: () => void): Promise<HeldLock | null> {
    this.connection ??= LockConnection.open(this.config, () => (this.connection = null));
    const connection = await this.connection;
    return connection.tryLock(name, onNudge);
  }

  /** Closes the connection; locks still held are lost. */
  async close(): Promise<void> {
    const connection = await this.connection?.catch(() => null);
    await connection?.close();
  }
}

/** Waits for the lock on a connection opened for it, runs `work`, and closes the connection. */
export async function runLocked<T>(
  config: pg.ClientConfig,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const patient = { ...config, statement_timeout: 0, query_timeout: undefined, lock_timeout: 0 };
  return withConnection(patient, async (connection) => {
    await connection.query(`SELECT pg_advisory_lock(${key})`, [name]);
    return work();
  });
}
