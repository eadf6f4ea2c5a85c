import type { EventType } from '@glacis/contracts';
import type { MessageHandler } from '@nestjs/microservices';
import type { HandlerExtras } from './handlers.js';

/** The decorators of the application cannot be obeyed. Boot stops; the message names what to change. */
export class EventSetupError extends Error {
  readonly code = 'event_setup';
}

/** What Nest found: durable handlers, at most one by service and type, and listeners, any number. */
export class HandlerTable {
  private readonly durable = new Map<string, Map<EventType, MessageHandler>>();
  private readonly listening = new Map<EventType, MessageHandler[]>();

  /** @throws {EventSetupError} for a handler that is not declared by our decorators, and for a second durable one */
  add(pattern: string, extras: Partial<HandlerExtras>, handler: MessageHandler): void {
    const { kind, service, type } = extras;
    if (!kind || !service || !type) {
      throw new EventSetupError(`handler of ${pattern} must use @OnEvent or @OnBroadcast`);
    }
    if (kind === 'broadcast') {
      this.listening.set(type, [...(this.listening.get(type) ?? []), handler]);
      return;
    }
    const own = this.durable.get(service) ?? new Map<EventType, MessageHandler>();
    if (own.has(type)) {
      throw new EventSetupError(`${service} has two event handlers of ${type}`);
    }
    this.durable.set(service, own.set(type, handler));
  }

  /** By service, then by type. */
  events(): ReadonlyMap<string, ReadonlyMap<EventType, MessageHandler>> {
    return this.durable;
  }

  listeners(): ReadonlyMap<EventType, readonly MessageHandler[]> {
    return this.listening;
  }
}
