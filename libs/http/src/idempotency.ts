import {
  Inject,
  Injectable,
  Optional,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, Loop, systemClock, type Clock } from '@glacis/runtime';
import { migration, Store, type MigrationClass, type Queryable, type Tx } from '@glacis/store';
import { createHash } from 'node:crypto';
import type { Answer } from './answer.js';
import type { IdempotentRequest } from './idempotent-request.js';
import type { Problem } from './problem.js';
import { problems } from './problems.js';

/** The table of answered keys, in the schema of each service that uses {@link Idempotency}. */
export const idempotencyMigrations: MigrationClass[] = [
  migration(
    'CreateIdempotencyKeys1763600000000',
    `CREATE TABLE idempotency_keys (
      scope bytea PRIMARY KEY,
      body_hash bytea NOT NULL,
      created_at timestamptz NOT NULL,
      status integer,
      headers jsonb,
      body text
    )`,
    'CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at)',
  ),
];

/** Milliseconds that an answer is repeated. */
const keptMs = 24 * 3_600_000;
const purgeEveryMs = 3_600_000;
/** Milliseconds after which work apart that has left nothing counts as lost with its process. */
const lostAfterMs = 60_000;

interface Row {
  body_hash: Buffer;
  /** Null: work apart is under way. */
  status: number | null;
  headers: Record<string, string>;
  body: string | null;
}

/**
 * `Idempotency-Key` (`backends.md` 2.1). The answer is stored in the transaction of the effect, so after a crash there
 * are both or neither. While a request is under way, others with its key are refused and not queued: requests that wait
 * would hold the connections that the first one may need.
 */
@Injectable()
export class Idempotency implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly purging: Loop;

  constructor(
    private readonly store: Store,
    @Inject(LOGGER) logger: Logger,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {
    this.purging = new Loop({
      name: 'idempotency keys',
      intervalMs: purgeEveryMs,
      run: () => this.purge(),
      onError: (err) => logger.warn({ err }, 'idempotency keys not purged'),
    });
  }

  /**
   * Runs `work` in a transaction. With a key, the first answer is kept for 24 h and repeated to the same request
   * without running anything. An error is not kept: its transaction left nothing, the same key may try again.
   * @throws {Problem} 422 when the key was used with another body, 409 while the first request is under way
   */
  async run(request: IdempotentRequest, work: (tx: Tx) => Promise<Answer>): Promise<Answer> {
    const scope = scopeOf(request);
    if (scope === undefined) return this.store.transaction(work);
    const bodyHash = digest(request.body);
    return this.store.transaction(async (tx) => {
      if (!(await this.claim(tx, scope, bodyHash))) return this.repeat(tx, scope, bodyHash);
      const answer = await work(tx);
      await keep(tx, scope, answer);
      return answer;
    });
  }

  /**
   * As {@link run}, for work that somebody else records, within a minute: no connection is held while it is waited for.
   * The key is claimed before the work and its answer kept after it. A process that dies in between leaves the claim,
   * and the key may try again a minute later, whatever has become of the work.
   * @throws {Problem} as `run`
   */
  async runApart(request: IdempotentRequest, work: () => Promise<Answer>): Promise<Answer> {
    const scope = scopeOf(request);
    if (scope === undefined) return work();
    const bodyHash = digest(request.body);
    const first = await this.store.transaction(async (tx) =>
      (await this.claim(tx, scope, bodyHash)) ? undefined : this.repeat(tx, scope, bodyHash),
    );
    if (first !== undefined) return first;
    const answer = await work().catch(async (error: unknown) => {
      // A claim that cannot be taken back ends by itself; what has failed is what counts.
      await this.forget(request).catch(() => undefined);
      throw error;
    });
    await keep(this.store, scope, answer);
    return answer;
  }

  /** Forgets the answer to a request whose effect was undone afterwards: its key may try again. */
  async forget(request: IdempotentRequest): Promise<void> {
    const scope = scopeOf(request);
    if (scope === undefined) return;
    await this.store.query('DELETE FROM idempotency_keys WHERE scope = $1', [scope]);
  }

  /** Removes answers that are no longer repeated. */
  async purge(): Promise<void> {
    await this.store.query('DELETE FROM idempotency_keys WHERE created_at <= $1', [this.cutoff()]);
  }

  onApplicationBootstrap(): void {
    this.purging.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.purging.stop();
  }

  private cutoff(ageMs = keptMs): Date {
    return new Date(this.clock.now().getTime() - ageMs);
  }

  /** True when the key is ours: nobody else works on it, and it is new or what it stands for too old to count. */
  private async claim(tx: Tx, scope: Buffer, bodyHash: Buffer): Promise<boolean> {
    const claimed = await tx.query(
      `INSERT INTO idempotency_keys (scope, body_hash, created_at)
       SELECT $1, $2, $3 WHERE pg_try_advisory_xact_lock($5)
       ON CONFLICT (scope) DO UPDATE SET body_hash = $2, created_at = $3, status = NULL
       WHERE idempotency_keys.created_at <= $4
         OR (idempotency_keys.status IS NULL AND idempotency_keys.created_at <= $6)
       RETURNING 1`,
      [
        scope,
        bodyHash,
        this.clock.now(),
        this.cutoff(),
        scope.readBigInt64BE(),
        this.cutoff(lostAfterMs),
      ],
    );
    return claimed.length === 1;
  }

  private async repeat(tx: Tx, scope: Buffer, bodyHash: Buffer): Promise<Answer> {
    const [row] = await tx.query<Row>(
      `SELECT body_hash, status, headers, body FROM idempotency_keys
       WHERE scope = $1 AND created_at > $2`,
      [scope, this.cutoff()],
    );
    if (!row) throw underWay();
    if (!row.body_hash.equals(bodyHash)) {
      throw problems.idempotencyMismatch('the key belongs to a request with another body');
    }
    if (row.status === null) throw underWay();
    const body: unknown = row.body === null ? undefined : JSON.parse(row.body);
    return { status: row.status, headers: row.headers, body };
  }
}

function underWay(): Problem {
  return problems.requestUnderWay('a request with this key has not been answered yet', {
    headers: { 'retry-after': '1' },
  });
}

async function keep(db: Queryable, scope: Buffer, answer: Answer): Promise<void> {
  const body = answer.body === undefined ? null : JSON.stringify(answer.body);
  await db.query(
    'UPDATE idempotency_keys SET status = $2, headers = $3, body = $4 WHERE scope = $1',
    [scope, answer.status, JSON.stringify(answer.headers ?? {}), body],
  );
}

/** By what a request and its repetitions are known; undefined: it has no key. */
function scopeOf({ key, tenant, subject, operation }: IdempotentRequest): Buffer | undefined {
  return key === undefined ? undefined : digest(tenant, subject, operation, key);
}

/** Each part with its length, so that no two lists of parts give the same bytes. */
function digest(...parts: (string | Buffer)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest();
}
