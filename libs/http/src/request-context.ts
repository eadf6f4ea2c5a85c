import { newTraceparent, parseTraceparent, type RecordedSpan } from '@glacis/observability';
import { newId } from '@glacis/runtime';
import type { IncomingMessage } from 'node:http';
import type { Principal, Visitor } from './caller.js';
import type { ClientAddress } from './client-address.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the admission hook of each route. */
    context: RequestContext | null;
  }
}

const acceptableId = /^[\x21-\x7e]{1,64}$/;

/** What one request carries through the process: its id, its trace and, once verified, its principal. */
export class RequestContext implements Visitor {
  readonly requestId: string;
  principal: Principal | null = null;
  /** The server span, while traces are recorded. */
  span: RecordedSpan | undefined;
  /** `traceparent` as it came, unchecked. */
  readonly incomingTrace: string | undefined;
  private ownTrace: string | undefined;

  constructor(
    private readonly raw: IncomingMessage,
    private readonly clientAddress: ClientAddress,
  ) {
    const { headers } = raw;
    const id = headers['x-request-id'];
    this.requestId = typeof id === 'string' && acceptableId.test(id) ? id : newId();
    const trace = headers['traceparent'];
    this.incomingTrace = typeof trace === 'string' ? trace : undefined;
  }

  get address(): string {
    return this.clientAddress(this.raw);
  }

  get tenant(): string {
    return this.principal?.tenant ?? '';
  }

  /** Made on first use, as most requests cause nothing that would carry it on. */
  get traceparent(): string {
    return this.span?.traceparent ?? (this.ownTrace ??= this.trace());
  }

  private trace(): string {
    const incoming = this.incomingTrace;
    return incoming !== undefined && parseTraceparent(incoming) ? incoming : newTraceparent();
  }
}
