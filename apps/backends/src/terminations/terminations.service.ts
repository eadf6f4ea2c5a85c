import { CLOCK, newId, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import { requestedEvent } from '../streams/closing-events.js';
import {
  holdLiveStreams,
  insertRequests,
  openRequest,
  requestsOf,
  type Target,
  type TerminationRequest,
  type TerminationType,
} from './terminations.store.js';

export interface TerminationWish {
  backendId: string;
  tenant: string;
  type: TerminationType;
  reason?: string;
  requestedBy: string;
  /** Of the REST call, for the audit trail. */
  requestId?: string;
}

/** Records wishes to end streams; the holder of the stream hears of them over the bus, or finds them when it polls. */
@Injectable()
export class Terminations {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Gives the id of the request, or of the open one of the same type and stream that it joins. */
  request(wish: TerminationWish): Promise<string> {
    return this.store.transaction((tx) => this.requestIn(tx, wish));
  }

  /** The requests of a backend, newest first. */
  list(backendId: string, page: { offset: number; limit: number }): ReturnType<typeof requestsOf> {
    return requestsOf(this.store, backendId, page);
  }

  /**
   * One request for each live stream; the id is that of the main one's. Without any the request is kept as `not_connected`: a stream opened later is
   * not its matter.
   */
  async requestIn(tx: Tx, wish: TerminationWish): Promise<string> {
    const [first, ...others] = await holdLiveStreams(tx, wish.backendId);
    const id = await this.record(tx, wish, first);
    for (const target of others) await this.record(tx, wish, target);
    return id;
  }

  async endIfConnected(tx: Tx, wish: TerminationWish): Promise<void> {
    for (const target of await holdLiveStreams(tx, wish.backendId)) {
      await this.record(tx, wish, target);
    }
  }

  private async record(tx: Tx, wish: TerminationWish, target: Target | undefined): Promise<string> {
    const request: TerminationRequest = {
      id: newId(this.clock),
      backendId: wish.backendId,
      tenant: wish.tenant,
      type: wish.type,
      reason: wish.reason ?? null,
      requestedBy: wish.requestedBy,
      requestedAt: this.clock.now(),
      streamId: target?.streamId ?? null,
      state: target === undefined ? 'not_connected' : 'recorded',
      deliveredAt: null,
      closedAt: null,
    };
    const inserted = await insertRequests(tx, [request]);
    if (!inserted.has(request.id)) return openRequest(tx, request);
    await this.journal.write(tx, {
      events: [requestedEvent(request)],
      audit: [
        {
          actor: wish.requestedBy,
          tenant: wish.tenant,
          action: 'backend.terminate',
          subject: wish.backendId,
          requestId: wish.requestId,
          detail: {
            request_id: request.id,
            type: wish.type,
            state: request.state,
            serial: target?.serial,
          },
        },
      ],
    });
    return request.id;
  }
}
