import type { Logger } from '@glacis/observability';
import type { Queryable } from '@glacis/store';
import type { BusMessage } from '../bus.js';
import type { EventsMetrics } from '../metrics/events-metrics.js';

/** An event that could not be handled (yet). */
export interface Failure {
  seq: string;
  message: BusMessage;
  state: 'parked' | 'redriven';
  attempts: number;
}

export interface NewFailure {
  message: BusMessage;
  state: 'parked' | 'dead';
  attempts: number;
  /** Absent when it only waits behind another event of its key. */
  cause?: string;
  nextAttemptAt: Date;
}

interface FailureRow {
  seq: string;
  event_id: string;
  topic: string;
  key: string;
  type: string;
  envelope: string;
  state: 'parked' | 'redriven';
  attempts: number;
}

/** By what a message waits for others. */
export function lineOf({ topic, key }: { topic: string; key: string }): string {
  return `${topic} ${key}`;
}

/** Of these messages' lines, those in which events wait already. */
export async function waitingLines(
  db: Queryable,
  messages: readonly BusMessage[],
): Promise<Set<string>> {
  const rows = await db.query<{ topic: string; key: string }>(
    `SELECT DISTINCT topic, key FROM event_failures
     WHERE state = 'parked'
       AND (topic, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    [messages.map(({ topic }) => topic), messages.map(({ key }) => key)],
  );
  return new Set(rows.map(lineOf));
}

/** Puts events aside, in their order. */
export async function putAside(
  db: Queryable,
  failures: readonly NewFailure[],
  now: Date,
): Promise<void> {
  const column = <T>(pick: (failure: NewFailure) => T): T[] => failures.map(pick);
  await db.query(
    `INSERT INTO event_failures
       (event_id, topic, key, type, envelope, state, attempts, cause, next_attempt_at, failed_at)
     SELECT *, $10::timestamptz FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
       $6::text[], $7::int[], $8::text[], $9::timestamptz[])`,
    [
      column(({ message }) => message.id),
      column(({ message }) => message.topic),
      column(({ message }) => message.key),
      column(({ message }) => message.type),
      column(({ message }) => message.value),
      column(({ state }) => state),
      column(({ attempts }) => attempts),
      column(({ cause }) => cause ?? null),
      column(({ nextAttemptAt }) => nextAttemptAt),
      now,
    ],
  );
}

/**
 * What is due for another attempt, oldest first: of each line only the first, and what was redriven.
 * @param of.line only this topic and key
 */
export async function dueFailures(
  db: Queryable,
  now: Date,
  of: { line?: { topic: string; key: string }; limit: number },
): Promise<Failure[]> {
  const rows = await db.query<FailureRow>(
    `SELECT seq, event_id, topic, key, type, envelope, state, attempts FROM event_failures f
     WHERE state <> 'dead' AND next_attempt_at <= $1
       AND ($2::text IS NULL OR topic = $2 AND key = $3)
       AND (state = 'redriven' OR NOT EXISTS (
         SELECT FROM event_failures e
         WHERE e.state = 'parked' AND e.topic = f.topic AND e.key = f.key AND e.seq < f.seq))
     ORDER BY seq LIMIT $4`,
    [now, of.line?.topic ?? null, of.line?.key ?? null, of.limit],
  );
  return rows.map(({ seq, event_id, topic, key, type, envelope, state, attempts }) => ({
    seq,
    message: { topic, id: event_id, key, type, value: envelope },
    state,
    attempts,
  }));
}

/**
 * Takes a failure out of the list, to be handled in the same transaction. False when another replica has it in hand or
 * has settled it.
 */
export async function takeOut(tx: Queryable, { seq, state, attempts }: Failure): Promise<boolean> {
  const rows = await tx.query(
    `DELETE FROM event_failures WHERE seq = (
       SELECT seq FROM event_failures WHERE seq = $1 AND state = $2 AND attempts = $3
       FOR UPDATE SKIP LOCKED) RETURNING seq`,
    [seq, state, attempts],
  );
  return rows.length > 0;
}

/** Writes down one more failed attempt, unless another replica has done so meanwhile. */
export async function failAgain(
  db: Queryable,
  failure: Failure,
  next: { state: 'parked' | 'dead'; cause: string; nextAttemptAt: Date; now: Date },
): Promise<boolean> {
  const rows = await db.query(
    `UPDATE event_failures
     SET state = $4, attempts = attempts + 1, cause = $5, next_attempt_at = $6, failed_at = $7
     WHERE seq = $1 AND state = $2 AND attempts = $3 RETURNING seq`,
    [
      failure.seq,
      failure.state,
      failure.attempts,
      next.state,
      next.cause,
      next.nextAttemptAt,
      next.now,
    ],
  );
  return rows.length > 0;
}

/** Tells people and metrics what became of an event that failed, once that is committed. */
export function reportFailure(
  { service, logger, metrics }: { service: string; logger: Logger; metrics: EventsMetrics },
  { message: { type, id, key }, state, attempts, cause }: NewFailure,
): void {
  metrics.failed(type, state);
  const fields = { service, type, eventId: id, key, attempts, cause };
  if (state === 'dead') logger.error(fields, 'event became a dead letter');
  else if (cause !== undefined) logger.warn(fields, 'event failed, will be retried');
}
