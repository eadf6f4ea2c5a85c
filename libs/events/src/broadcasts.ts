import type { EventData, EventType } from '@glacis/contracts';
import type { Clock } from '@glacis/runtime';
import type { BusDriver } from './bus.js';
import { envelop, messageOf } from './outbox/new-event.js';

/** Tells every replica something at once, past outbox and database. */
export class Broadcasts {
  constructor(
    private readonly bus: BusDriver,
    private readonly clock: Clock,
  ) {}

  /**
   * Reaches the `@OnBroadcast` handlers of every replica, this one too, unless a process or the bus is down: receivers
   * poll for what matters as a fallback. Resolves when the bus has it.
   */
  async publish<K extends EventType>(type: K, subject: string, data: EventData<K>): Promise<void> {
    const event = envelop({ type, subject, tenant: '', data }, 'broadcasts', this.clock);
    await this.bus.publish([messageOf(event)]);
  }
}
