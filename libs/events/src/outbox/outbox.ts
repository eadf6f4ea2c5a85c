import type { Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import { envelop, messageOf, type NewEvent } from './new-event.js';

export interface OutboxOptions {
  service: string;
  clock: Clock;
  /** Called after the commit of a transaction that added events. */
  wake: () => void;
}

/** Bytes of an event with its envelope at most: what every topic takes. */
const maxEventBytes = 7 << 20;

/** An event is longer than 7 MiB, so no repetition will add it. Without it the others of its transaction may be told. */
export class UntellableEventError extends Error {
  override readonly name = 'UntellableEventError';
}

/** Where a service puts its events, in the transaction that changes its state. */
export class Outbox {
  constructor(private readonly options: OutboxOptions) {}

  /**
   * Adds events in their order, with one statement; they leave right after COMMIT. Change (or lock) the aggregate's
   * row before adding its event: then events of one aggregate leave in the order of its changes.
   * @throws {UntellableEventError} when an event has more than 7 MiB; the transaction should not go on then
   * @throws {z.ZodError} when data does not hold its schema; likewise
   */
  async add(tx: Tx, ...events: NewEvent[]): Promise<void> {
    const { service, clock, wake } = this.options;
    const messages = events.map((event) => messageOf(envelop(event, service, clock)));
    const tooLong = messages.find(({ value }) => Buffer.byteLength(value) > maxEventBytes);
    if (tooLong) {
      throw new UntellableEventError(
        `event with more than ${maxEventBytes} bytes: ${tooLong.type}`,
      );
    }
    await tx.query(
      `INSERT INTO outbox (event_id, topic, key, type, envelope)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])`,
      [
        messages.map((each) => each.id),
        messages.map((each) => each.topic),
        messages.map((each) => each.key),
        messages.map((each) => each.type),
        messages.map((each) => each.value),
      ],
    );
    tx.afterCommit(wake);
  }
}
