import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { countRefusal, REFUSAL_MEMORY_MS, type RefusalCount } from './refusals.js';

interface Client {
  serial: string;
  address: string;
}

interface Row extends Client {
  count: number;
  since: Date;
  blocks: number;
  blocked_until: Date | null;
}

const MAX_BLOCKED = 10_000;

/** Clients that were refused again and again. Counted in the database, for all replicas; known locally while blocked. */
@Injectable()
export class RefusedClients {
  private blocked = new Map<string, number>();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  isBlocked(client: Client): boolean {
    const until = this.blocked.get(keyOf(client));
    return until !== undefined && until > this.clock.now().getTime();
  }

  /**
   * Counts a refusal, and gives the count after it. It never fails: without a database nobody is admitted anyway, and
   * the count is undefined.
   */
  async note(client: Client): Promise<RefusalCount | undefined> {
    try {
      const count = await this.store.transaction((tx) => this.count(tx, client));
      if (count.blockedUntil) this.blocked.set(keyOf(client), count.blockedUntil.getTime());
      return count;
    } catch (error) {
      this.logger.debug({ err: error }, 'refusal not counted');
      return undefined;
    }
  }

  /** Learns of the blocks that other replicas made, and forgets those that are over. */
  async refresh(): Promise<void> {
    const rows = await this.store.query<Row>(
      `SELECT serial, address, blocked_until FROM refused_clients
       WHERE blocked_until > $1 ORDER BY blocked_until DESC LIMIT $2`,
      [this.clock.now(), MAX_BLOCKED],
    );
    this.blocked = new Map(rows.map((row) => [keyOf(row), row.blocked_until?.getTime() ?? 0]));
  }

  /** Removes what no longer counts. */
  async purge(): Promise<void> {
    await this.store.query('DELETE FROM refused_clients WHERE since < $1', [
      new Date(this.clock.now().getTime() - REFUSAL_MEMORY_MS),
    ]);
    await this.store.query(`DELETE FROM stream_open_budgets WHERE at < now() - interval '1 hour'`);
  }

  private async count(tx: Tx, { serial, address }: Client): Promise<RefusalCount> {
    const [row] = await tx.query<Row>(
      'SELECT * FROM refused_clients WHERE serial = $1 AND address = $2 FOR UPDATE',
      [serial, address],
    );
    const before = row && { ...row, blockedUntil: row.blocked_until };
    const after = countRefusal(before, this.clock.now());
    await tx.query(
      `INSERT INTO refused_clients (serial, address, count, since, blocks, blocked_until)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (serial, address) DO UPDATE SET count = excluded.count, since = excluded.since,
         blocks = excluded.blocks, blocked_until = excluded.blocked_until`,
      [serial, address, after.count, after.since, after.blocks, after.blockedUntil],
    );
    return after;
  }
}

function keyOf({ serial, address }: Client): string {
  return `${serial} ${address}`;
}
