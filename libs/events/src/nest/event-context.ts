import type { CloudEvent } from '@glacis/contracts';
import type { Tx } from '@glacis/store';
import { BaseRpcContext } from '@nestjs/microservices';

/** What a handler gets beside the event, by `@Ctx()`. */
export class EventContext extends BaseRpcContext<[]> {
  constructor(
    /** The inbox transaction. Every effect goes through it, so that effect and inbox row commit together. */
    readonly tx: Tx,
    readonly event: CloudEvent,
    /** 1 at first; counts up with every retry. */
    readonly attempt: number,
    /** Trace context of this handling; give it on to the events and calls that it causes. */
    readonly traceparent: string,
  ) {
    super([]);
  }
}
