import { isEventType, type CloudEvent } from '@glacis/contracts';
import type { Tx } from '@glacis/store';
import type { BusMessage } from '../bus.js';
import { causeText } from '../failures/cause.js';
import {
  lineOf,
  putAside,
  reportFailure,
  waitingLines,
  type NewFailure,
} from '../failures/failures.js';
import { countHandled, type HandlingOptions } from './handling.js';
import { markTaken } from './inbox.js';
import { receive, type Received } from './received.js';
import { afterFailure } from '../failures/retry-policy.js';

export interface ConsumerOptions extends HandlingOptions {
  /**
   * Milliseconds after which the rest of a batch is parked and handled in the background, so that a group which is
   * slower than its events holds up neither the bus nor other groups.
   */
  batchLimitMs: number;
}

/** Where a transaction is: in our own statements, in the handler of a message of the batch, or in COMMIT. */
type Stage = 'own' | 'commit' | number;

/** A statement came after a failed one (SQLSTATE 25P02): some handler before it swallowed a database error. */
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
    const own = messages.filter(({ type }) => isEventType(type) && handlers.has(type));
    await this.takeAll(own.map(receive));
  }

  private async takeAll(batch: readonly Received[]): Promise<void> {
    let rest = batch;
    while (rest.length > 0) {
      const failure = await this.attempt(rest);
      if (!failure) return;
      const { culprit, error } = failure;
      if (culprit === undefined && rest.length > 1) {
        // The one to blame is found by halving.
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

  /**
   * One transaction for the whole batch. Tells what failed, and which message is to blame if that is known.
   * @throws when no message is to blame
   */
  private async attempt(
    batch: readonly Received[],
  ): Promise<{ error: unknown; culprit: number | undefined } | undefined> {
    let stage: Stage = 'own';
    try {
      await this.options.store.transaction(async (tx) => {
        const handled = await this.handleNew(tx, batch, (next) => (stage = next));
        tx.afterCommit(() => countHandled(this.options, handled));
        stage = 'commit';
      });
      return undefined;
    } catch (error) {
      if (isAborted(error)) return { error, culprit: undefined };
      if (stage === 'own') throw error;
      return { error, culprit: stage === 'commit' ? undefined : stage };
    }
  }

  private async handleNew(
    tx: Tx,
    batch: readonly Received[],
    enter: (stage: Stage) => void,
  ): Promise<CloudEvent[]> {
    enter('own');
    const isNew = await markTaken(tx, idsOf(batch));
    if (isNew.size === 0) return [];
    const waiting = await waitingLines(tx, batch.map(messageOf));
    const until = this.options.clock.now().getTime() + this.options.batchLimitMs;
    const aside: NewFailure[] = [];
    const handled: CloudEvent[] = [];
    for (const [index, received] of batch.entries()) {
      // An id that a batch holds twice is new only once.
      if (!isNew.delete(received.message.id)) continue;
      const failure = this.withoutAttempt(received, waiting, until);
      if (failure) {
        aside.push(failure);
        continue;
      }
      enter(index);
      await this.handle(received.event as CloudEvent, tx);
      handled.push(received.event as CloudEvent);
    }
    enter('own');
    await this.putAside(tx, aside);
    return handled;
  }

  private async handle(event: CloudEvent, tx: Tx): Promise<void> {
    await this.options.handlers.get(event.type)?.(event, tx, 1);
  }

  /** What is put aside without being tried: the unreadable, what waits behind its key, what comes out of time. */
  private withoutAttempt(
    { message, fault }: Received,
    waiting: ReadonlySet<string>,
    until: number,
  ): NewFailure | undefined {
    const nextAttemptAt = this.options.clock.now();
    if (fault !== undefined) {
      return { message, state: 'dead', attempts: 1, cause: causeText(fault), nextAttemptAt };
    }
    return nextAttemptAt.getTime() > until || waiting.has(lineOf(message))
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
    tx.afterCommit(() => failures.forEach((failure) => reportFailure(this.options, failure)));
  }
}

const messageOf = ({ message }: Received): BusMessage => message;
const idsOf = (batch: readonly Received[]): string[] => batch.map(({ message }) => message.id);
