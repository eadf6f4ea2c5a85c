import { Loop } from '@glacis/runtime';
import { causeText } from './cause.js';
import type { ConsumerOptions } from './consumer.js';
import { dueFailures, failAgain, takeOut, type Failure } from './failures.js';
import { receive, UnreadableEventError } from './received.js';
import { afterFailure } from './retry-policy.js';

/** Failures looked at in one turn; each is the first of its key, so they do not depend on one another. */
const atOnce = 4;

export interface RetriesOptions extends ConsumerOptions {
  /** Milliseconds between two looks for due retries. */
  pollMs: number;
}

/**
 * Tries parked events again when they are due: one after the other per key, and the keys independently. An event that
 * has used up its attempts becomes a dead letter, and its key goes on. A redriven dead letter gets one attempt.
 */
export class Retries {
  private readonly loop: Loop;
  private stopping = false;

  constructor(private readonly options: RetriesOptions) {
    const { service, pollMs, logger } = options;
    this.loop = new Loop({
      name: `event retries of ${service}`,
      intervalMs: pollMs,
      run: () => this.run(),
      onError: (error) => logger.warn({ err: error, service }, 'event retries interrupted'),
    });
  }

  start(): void {
    this.loop.start();
  }

  wake(): void {
    this.loop.wake();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
  }

  private async run(): Promise<void> {
    const { store, clock } = this.options;
    let settled = true;
    while (settled && !this.stopping) {
      const due = await dueFailures(store, clock.now(), atOnce);
      const outcomes = await Promise.all(due.map((failure) => this.retry(failure)));
      settled = outcomes.includes(true);
    }
  }

  /** False when nothing was settled: another replica has it in hand, or the database is away. */
  private async retry(failure: Failure): Promise<boolean> {
    try {
      return await this.handle(failure).catch((error: unknown) => this.failed(failure, error));
    } catch (error) {
      const { logger, service } = this.options;
      logger.warn({ err: error, service }, 'failed event neither handled nor written down');
      return false;
    }
  }

  private async handle(failure: Failure): Promise<boolean> {
    const { store, handlers, metrics, clock } = this.options;
    const { event, fault } = receive(failure.message);
    if (fault !== undefined) throw fault;
    const handler = handlers.get(event.type);
    if (!handler) throw new UnreadableEventError(`no handler for ${event.type}`);
    return store.transaction(async (tx) => {
      if (!(await takeOut(tx, failure))) return false;
      await handler(event, tx, failure.attempts + 1);
      tx.afterCommit(() =>
        metrics.handled(event.type, clock.now().getTime() - Date.parse(event.time)),
      );
      return true;
    });
  }

  private async failed(failure: Failure, error: unknown): Promise<boolean> {
    const { service, store, policy, clock, logger, metrics } = this.options;
    const now = clock.now();
    const attempt = failure.attempts + 1;
    const hopeless = failure.state === 'redriven' || error instanceof UnreadableEventError;
    const next = hopeless
      ? { state: 'dead' as const, nextAttemptAt: now }
      : afterFailure(policy, attempt, now);
    const cause = causeText(error);
    if (!(await failAgain(store, failure, { ...next, cause, now }))) return false;
    const { type, id, key } = failure.message;
    metrics.failed(type, next.state);
    const fields = { service, type, eventId: id, key, attempt, cause };
    if (next.state === 'dead') logger.error(fields, 'event became a dead letter');
    else logger.warn(fields, 'event failed, will be retried');
    return true;
  }
}
