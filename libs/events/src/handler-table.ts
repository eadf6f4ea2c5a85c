import type { EventType } from '@glacis/contracts';
import type { MessageHandler } from '@nestjs/microservices';
import type { HandlerExtras } from './handlers.js';

/** The decorators of the application cannot be obeyed. Boot stops; the message names what to change. */
export class EventSetupError extends Error {
  readonly code = 'event_setup';
}

/** What Nest found: by service and type, at most one handler of each kind. */
export class HandlerTable {
  private readonly handlers = new Map<string, { extras: HandlerExtras; handler: MessageHandler }>();

  /** @throws {EventSetupError} for a handler that is not declared by our decorators, and for a second one */
  add(pattern: string, extras: Partial<HandlerExtras>, handler: MessageHandler): void {
    const { kind, service, type } = extras;
    if (!kind || !service || !type) {
      throw new EventSetupError(`handler of ${pattern} must use @OnEvent or @OnBroadcast`);
    }
    if (this.handlers.has(pattern)) {
      throw new EventSetupError(`${service} has two ${kind} handlers of ${type}`);
    }
    this.handlers.set(pattern, { extras: { kind, service, type }, handler });
  }

  /** Durable handlers by service. */
  events(): Map<string, Map<EventType, MessageHandler>> {
    const services = new Map<string, Map<EventType, MessageHandler>>();
    for (const { extras, handler } of this.of('event')) {
      const own = services.get(extras.service) ?? new Map<EventType, MessageHandler>();
      services.set(extras.service, own.set(extras.type, handler));
    }
    return services;
  }

  /** Listeners by type. */
  broadcasts(): Map<EventType, MessageHandler[]> {
    const types = new Map<EventType, MessageHandler[]>();
    for (const { extras, handler } of this.of('broadcast')) {
      types.set(extras.type, [...(types.get(extras.type) ?? []), handler]);
    }
    return types;
  }

  private of(kind: HandlerExtras['kind']): { extras: HandlerExtras; handler: MessageHandler }[] {
    return [...this.handlers.values()].filter(({ extras }) => extras.kind === kind);
  }
}
