import { Loop } from '@glacis/runtime';
import { causeText } from './cause.js';
import { dueFailures, failAgain, reportFailure, takeOut, type Failure } from './failures.js';
import { countHandled, type HandlingOptions } from '../inbox/handling.js';
import { receive, UnreadableEventError } from '../inbox/received.js';
import { afterFailure } from './retry-policy.js';

/** Keys worked on at the same time. */
const concurrency = 4;
/** Keys looked up at once, and events of one key handled before others get their turn. */
const turn = 64;

export interface RetriesOptions extends HandlingOptions {
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
    let settled = true;
    while (settled && !this.stopping) {
      const due = await this.due();
      const workers = Array.from({ length: concurrency }, () => this.work(due));
      settled = (await Promise.all(workers)).includes(true);
    }
  }

  private async due(line?: Failure): Promise<Failure[]> {
    const { store, clock } = this.options;
    return dueFailures(
      store,
      clock.now(),
      line ? { line: line.message, limit: 1 } : { limit: turn },
    );
  }

  /** Empties the list together with other workers. True when it settled any. */
  private async work(list: Failure[]): Promise<boolean> {
    let settled = false;
    for (let head = list.shift(); head && !this.stopping; head = list.shift()) {
      settled = (await this.workOff(head)) || settled;
    }
    return settled;
  }

  /** Handles an event, and as long as that succeeds, those that wait behind it. */
  private async workOff(head: Failure): Promise<boolean> {
    let next: Failure | undefined = head;
    let outcome: Outcome = 'untouched';
    for (let count = 0; next && count < turn && !this.stopping; count++) {
      outcome = await this.retry(next);
      if (outcome !== 'handled') break;
      [next] = await this.due(head);
    }
    return outcome !== 'untouched';
  }

  private async retry(failure: Failure): Promise<Outcome> {
    try {
      return await this.handle(failure).catch((error: unknown) => this.failed(failure, error));
    } catch (error) {
      const { logger, service } = this.options;
      logger.warn({ err: error, service }, 'failed event neither handled nor written down');
      return 'untouched';
    }
  }

  private async handle(failure: Failure): Promise<Outcome> {
    const { store, handlers } = this.options;
    const { event, fault } = receive(failure.message);
    if (fault !== undefined) throw fault;
    const handler = handlers.get(event.type);
    if (!handler) throw new UnreadableEventError(`no handler for ${event.type}`);
    return store.transaction(async (tx) => {
      if (!(await takeOut(tx, failure))) return 'untouched';
      await handler(event, tx, failure.attempts + 1);
      tx.afterCommit(() => countHandled(this.options, [event]));
      return 'handled';
    });
  }

  private async failed(failure: Failure, error: unknown): Promise<Outcome> {
    const { store, policy, clock } = this.options;
    const now = clock.now();
    const attempts = failure.attempts + 1;
    const hopeless = failure.state === 'redriven' || error instanceof UnreadableEventError;
    const next = hopeless
      ? { state: 'dead' as const, nextAttemptAt: now }
      : afterFailure(policy, attempts, now);
    const cause = causeText(error);
    if (!(await failAgain(store, failure, { ...next, cause, now }))) return 'untouched';
    reportFailure(this.options, { message: failure.message, attempts, cause, ...next });
    return 'failed';
  }
}

/** Untouched: another replica has it in hand, or the database is away. */
type Outcome = 'handled' | 'failed' | 'untouched';
