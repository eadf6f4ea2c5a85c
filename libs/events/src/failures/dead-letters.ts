import type { Clock } from '@glacis/runtime';
import { pageOf, type Page, type Store } from '@glacis/store';

/** An event that a service could not handle. */
export interface DeadLetter {
  /** Id of the event. */
  id: string;
  type: string;
  topic: string;
  subject: string;
  attempts: number;
  cause: string;
  failedAt: Date;
  /** The envelope as it came. */
  envelope: string;
}

const columns = `event_id AS id, type, topic, key AS subject, attempts, coalesce(cause, '') AS cause,
  failed_at AS "failedAt", envelope`;

/** One service's dead letters. */
export class DeadLetters {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    /** Called when redriven events wait for their attempt. */
    private readonly wake: () => void,
  ) {}

  /** Oldest first. */
  list(page: { offset: number; limit: number }): Promise<Page<DeadLetter>> {
    const from = `event_failures WHERE state = 'dead'`;
    return pageOf(this.store, { select: columns, from, orderBy: 'seq' }, [], page);
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    const rows = await this.store.query<DeadLetter>(
      `SELECT ${columns} FROM event_failures WHERE state = 'dead' AND event_id = $1`,
      [id],
    );
    return rows[0];
  }

  /**
   * Gives a dead letter, or all of them, one more attempt in the background. Later events of the same key may have been
   * handled already, so the order among them is given up. What fails again is a dead letter again.
   * @returns how many there were
   */
  async redrive(id?: string): Promise<number> {
    const rows = await this.store.query(
      `UPDATE event_failures SET state = 'redriven', next_attempt_at = $1
       WHERE state = 'dead' AND ($2::text IS NULL OR event_id = $2) RETURNING seq`,
      [this.clock.now(), id ?? null],
    );
    if (rows.length > 0) this.wake();
    return rows.length;
  }
}
