import type { EventType } from '@glacis/contracts';
import { applyDecorators, Catch, UseFilters, type ExceptionFilter } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';

/** Keeps other transports of the same Nest application from registering event handlers, and this one theirs. */
export const EVENTS_TRANSPORT = Symbol('glacis events');

/** What the decorators tell the transport about a handler. */
export interface HandlerExtras {
  kind: 'event' | 'broadcast';
  service: string;
  type: EventType;
}

/**
 * Nest's default filter would replace the failure by "Internal server error", and the dead letter would have no cause.
 * Filters written above `@OnEvent` come first and may settle a failure themselves.
 */
@Catch()
class PassFailureOn implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

function handlerOf(extras: HandlerExtras): MethodDecorator {
  const pattern = `${extras.kind}:${extras.service}:${extras.type}`;
  return applyDecorators(
    // oxlint-disable-next-line typescript/no-unnecessary-type-arguments -- selects the overload for any method
    EventPattern<string>(pattern, EVENTS_TRANSPORT, extras),
    UseFilters(new PassFailureOn()),
  );
}

/**
 * Marks the controller method of `service` that handles an event type: `handler(@Payload() event: CloudEvent<T>,
 * @Ctx() context: EventContext)`. It runs inside the inbox transaction, at least once, in order per aggregate, and its
 * effects through `context.tx` happen once. A throw rolls back and is retried. It may take 10 s.
 * One handler per service and type; a second one stops the boot.
 */
export function OnEvent(service: string, type: EventType): MethodDecorator {
  return handlerOf({ kind: 'event', service, type });
}

/**
 * Marks a controller method that hears an event type in every replica, from the end of the log, before the durable
 * handlers: `handler(@Payload() event: CloudEvent<T>)`. No transaction, no retry; it may hear an event twice or, when
 * the process or the bus is down, never: what matters is polled for as a fallback.
 */
export function OnBroadcast(service: string, type: EventType): MethodDecorator {
  return handlerOf({ kind: 'broadcast', service, type });
}
