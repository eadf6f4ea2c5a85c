import { UntellableEventError, type NewEvent } from '@glacis/events';
import { LOGGER, type Logger } from '@glacis/observability';
import { backoffMs, coalesce } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Journal } from '../journal.js';
import { endings } from '../streams/endings.js';
import type { LiveStream } from '../streams/live-stream.js';
import { StreamEnder } from '../streams/stream-ender.js';
import { relayedEvent, type Relayed } from './relayed-event.js';

/** A message on its way: as it is told, and the bytes that it came in. */
interface Parcel {
  event: NewEvent;
  bytes: number;
}

/** Bytes of one transaction, about. */
const MAX_BYTES = 4 * 1024 * 1024;
const ATTEMPTS = 6;
const RETRY = { initialMs: 100, factor: 3, maxMs: 5_000, jitter: 0.3 };

/**
 * Hands what managers and agents report to the other services, through the outbox: nothing that was taken is lost, and
 * order holds per backend. Messages of all streams share transactions, and a stream with too many unrecorded ones is
 * not read further, so a slow database slows managers down and costs no memory.
 */
@Injectable()
export class Relay {
  private readonly recordTogether: (parcel: Parcel) => Promise<void>;

  constructor(
    @Inject(Journal) private readonly journal: Journal,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.recordTogether = coalesce(async (parcels: Parcel[]) => {
      const results: (Error | undefined)[] = [];
      for (const load of loads(parcels)) results.push(...(await this.recordLoad(load)));
      return results;
    });
  }

  /** Takes a message in the order of its stream. A stream whose messages cannot be recorded is ended. */
  push(stream: LiveStream, message: Relayed, bytes: number): void {
    stream.hold(bytes);
    const event = relayedEvent(stream.facts, message, stream.lastHeard);
    this.recordTogether({ event, bytes })
      .catch((error: unknown) => {
        this.logger.warn({ err: error, stream: stream.facts.streamId }, 'message not relayed');
        const own = error instanceof UntellableEventError;
        void this.ender.end(stream, own ? endings.untellable : endings.lost);
      })
      .finally(() => stream.release(bytes));
  }

  /** An event that cannot be told fails alone: the others of its transaction are those of other clients. */
  private async recordLoad(events: readonly NewEvent[]): Promise<(Error | undefined)[]> {
    try {
      await this.recordStubbornly(events);
      return events.map(() => undefined);
    } catch (error) {
      if (!(error instanceof UntellableEventError)) throw error;
      if (events.length === 1) return [error];
      const half = Math.ceil(events.length / 2);
      const first = await this.recordLoad(events.slice(0, half));
      return [...first, ...(await this.recordLoad(events.slice(half)))];
    }
  }

  private async recordStubbornly(events: readonly NewEvent[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.journal.note({ events });
      } catch (error) {
        if (attempt === ATTEMPTS || error instanceof UntellableEventError) throw error;
        await sleep(backoffMs(RETRY, attempt));
      }
    }
  }
}

/** The events in their order, cut where a transaction would become too large. */
function loads(parcels: readonly Parcel[]): NewEvent[][] {
  const cut: NewEvent[][] = [];
  let room = 0;
  for (const { event, bytes } of parcels) {
    if (cut.length === 0 || bytes > room) {
      cut.push([]);
      room = MAX_BYTES;
    }
    cut.at(-1)?.push(event);
    room -= bytes;
  }
  return cut;
}
