import type { EventData, EventType } from '@glacis/contracts';
import type { Clock } from '@glacis/runtime';
import type { BusDriver } from './bus.js';
import { envelop, messageOf } from './outbox/new-event.js';
import { within } from './within.js';

/** Milliseconds that a caller waits for a bus that is down. */
const publishLimitMs = 5_000;
/** Broadcasts that a bus which is down may hold. */
const mostWaiting = 1_000;

/** So many broadcasts wait for the bus already that this one was not even tried. Receivers find out by polling. */
export class BusBusyError extends Error {
  readonly code = 'bus_busy';

  constructor() {
    super('too many broadcasts wait for the bus');
  }
}

/** Tells every replica something at once, past outbox and database. */
export class Broadcasts {
  private waiting = 0;

  constructor(
    private readonly bus: BusDriver,
    private readonly clock: Clock,
  ) {}

  /**
   * Reaches the `@OnBroadcast` handlers of every replica, this one too, unless a process or the bus is down: receivers
   * poll for what matters as a fallback. Resolves when the bus has it.
   * @throws {DeadlineError} when the bus does not have it after 5 s; it may still get it
   * @throws {BusBusyError} while 1,000 others wait
   */
  async publish<K extends EventType>(type: K, subject: string, data: EventData<K>): Promise<void> {
    const event = envelop({ type, subject, tenant: '', data }, 'broadcasts', this.clock);
    if (this.waiting >= mostWaiting) throw new BusBusyError();
    this.waiting += 1;
    const published = this.bus.publish([messageOf(event)]).finally(() => (this.waiting -= 1));
    await within(publishLimitMs, published);
  }
}
