import { isEventType, type CloudEvent, type EventType } from '@glacis/contracts';
import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import type { BusMessage } from './bus.js';
import { causeText } from './cause.js';
import type { EventsMetrics } from './events-metrics.js';
import { lineOf, putAside, waitingLines, type NewFailure } from './failures.js';
import { markTaken } from './inbox.js';
import { receive, type Received } from './received.js';
import { afterFailure, type RetryPolicy } from './retry-policy.js';

/** Handles one event inside `tx`; a throw means that it has failed and nothing of it may stay. */
export type EventHandler = (event: CloudEvent, tx: Tx, attempt: number) => Promise<void>;

export interface ConsumerOptions {
  service: string;
  store: Store;
  handlers: ReadonlyMap<EventType, EventHandler>;
  policy: RetryPolicy;
  clock: Clock;
  logger: Logger;
  metrics: EventsMetrics;
}

/** A statement came after a failed one (SQLSTATE 25P02): some earlier handler swallowed a database error. */
const isAborted = (error: unknown): boolean => (error as { code?: unknown })?.code === '25P02';

/**
 * One service's consumer group. Takes batches of messages: inbox rows and effects of a whole batch commit together.
 * When a handler fails, its event is parked with its inbox row, and later events of its key are parked behind it.
 */
export class Consumer {
  constructor(private readonly options: ConsumerOptions) {}

  /**
   * Resolves when each message is handled, parked or a dead letter, for good.
   * @throws when the database cannot tell so; then all messages must come again
   */
  async take(messages: readonly BusMessage[]): Promise<void> {
    const { handlers } = this.options;
    const own = messages.filter(({ type }) => !isEventType(type) || handlers.has(type));
    await this.takeAll(own.map(receive));
  }

  private async takeAll(batch: readonly Received[]): Promise<void> {
    let rest = batch;
    while (rest.length > 0) {
      const failure = await this.attempt(rest);
      if (!failure) return;
      const { culprit, error } = failure;
      if (culprit === undefined && rest.length > 1) {
        // Only COMMIT failed: the one to blame is found by halving.
        const half = rest.length >> 1;
        await this.takeAll(rest.slice(0, half));
        rest = rest.slice(half);
      } else {
        const at = culprit ?? 0;
        await this.takeAll(rest.slice(0, at));
        await this.park(rest[at] as Received, error);
        rest = rest.slice(at + 1);
      }
    }
  }

  /** One transaction for the whole batch. Tells what failed, and which message is to blame if that is known. */
  private async attempt(
    batch: readonly Received[],
  ): Promise<{ error: unknown; culprit: number | undefined } | undefined> {
    let current: number | undefined;
    try {
      await this.options.store.transaction(async (tx) => {
        current = undefined;
        const handled = await this.handleNew(tx, batch, (index) => (current = index));
        current = undefined;
        tx.afterCommit(() => this.count(handled));
      });
      return undefined;
    } catch (error) {
      return { error, culprit: isAborted(error) ? undefined : current };
    }
  }

  private async handleNew(
    tx: Tx,
    batch: readonly Received[],
    onHandler: (index: number) => void,
  ): Promise<CloudEvent[]> {
    const isNew = await markTaken(tx, idsOf(batch));
    if (isNew.size === 0) return [];
    const waiting = await waitingLines(tx, batch.map(messageOf));
    const aside: NewFailure[] = [];
    const handled: CloudEvent[] = [];
    for (const [index, received] of batch.entries()) {
      // An id that a batch holds twice is new only once.
      if (!isNew.delete(received.message.id)) continue;
      const failure = this.withoutAttempt(received, waiting);
      if (failure) {
        aside.push(failure);
      } else {
        onHandler(index);
        await this.handle(received.event as CloudEvent, tx);
        handled.push(received.event as CloudEvent);
      }
    }
    await this.putAside(tx, aside);
    return handled;
  }

  private async handle(event: CloudEvent, tx: Tx): Promise<void> {
    await this.options.handlers.get(event.type)?.(event, tx, 1);
  }

  /** Unreadable messages, and those whose key waits, are put aside without being tried. */
  private withoutAttempt(
    { message, fault }: Received,
    waiting: ReadonlySet<string>,
  ): NewFailure | undefined {
    const nextAttemptAt = this.options.clock.now();
    if (fault !== undefined) {
      return { message, state: 'dead', attempts: 1, cause: causeText(fault), nextAttemptAt };
    }
    return waiting.has(lineOf(message))
      ? { message, state: 'parked', attempts: 0, nextAttemptAt }
      : undefined;
  }

  /** Writes down the failed first attempt at a message, unless it was taken otherwise meanwhile. */
  private async park({ message }: Received, error: unknown): Promise<void> {
    const { store, policy, clock } = this.options;
    await store.transaction(async (tx) => {
      if ((await markTaken(tx, [message.id])).size === 0) return;
      const next = afterFailure(policy, 1, clock.now());
      await this.putAside(tx, [{ message, attempts: 1, cause: causeText(error), ...next }]);
    });
  }

  private async putAside(tx: Tx, failures: readonly NewFailure[]): Promise<void> {
    if (failures.length === 0) return;
    await putAside(tx, failures, this.options.clock.now());
    tx.afterCommit(() => failures.forEach((failure) => this.report(failure)));
  }

  private report({ message: { type, id, key }, state, cause }: NewFailure): void {
    const { service, logger, metrics } = this.options;
    metrics.failed(type, state);
    const fields = { service, type, eventId: id, key, cause };
    if (state === 'dead') logger.error(fields, 'event became a dead letter');
    else if (cause !== undefined) logger.warn(fields, 'event failed, will be retried');
  }

  private count(handled: readonly CloudEvent[]): void {
    const { metrics, clock } = this.options;
    const now = clock.now().getTime();
    handled.forEach(({ type, time }) => metrics.handled(type, now - Date.parse(time)));
  }
}

const messageOf = ({ message }: Received): BusMessage => message;
const idsOf = (batch: readonly Received[]): string[] => batch.map(({ message }) => message.id);
